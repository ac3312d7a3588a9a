"""The log on Kafka: one topic of the cluster for each of ours, all with the same number of partitions.

A partition holds a share of the workloads and is a whole log of its own, which `KafkaLog` gives the protocol of cme.log:
one collector and one predictor write it, each by a transactional producer that fences who wrote in its place before.

`connection` how clients are made, `layout` names and settings of topics, `stamp` who wrote a record as which, `merge` the order
of several topics, `producer` writes, `consumer` reads, `log` brings them together, `membership` who has which partitions.
FORMAT.md says what a record is. May import `cme.core` and the files beside this folder; only here and in cme.sources.kafka
may `kafka` be imported.
"""

"""The log: the only durable thing and the only contract between collector, predictor and adapter.

`protocol` is what they see, `reading` reads on to the end, `topics` the table of topics, `record` the bytes of one
batch (FORMAT.md says what each means), `embedded` the implementation on one SQLite file, `follower` the reading side of one that
another process serves with `server`, `kafka` the implementation on a cluster of brokers, `outbox`
a log whose writer goes on without it, with the `spool` of what waits, `opening` the log that settings name. May import
`cme.core`, and in `kafka` `cme.kafka`.
"""

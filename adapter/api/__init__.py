"""custom.metrics.k8s.io and external.metrics.k8s.io, as kube-aggregator and the HPA speak them.

`paths`, `options` and `negotiation` read a request, `custom` and `external` answer it from the view without I/O;
`documents` keeps what `discovery` and `openapi` make of the catalog; `status` words errors, `tls` keeps
certificates, `connections` bounds clients, `protocol` speaks HTTP with them in `messages`, which `app` answers; who may
ask is `adapter.access`'s.
Protocol: https://github.com/kubernetes/metrics and https://kubernetes.io/docs/tasks/extend-kubernetes/
configure-aggregation-layer/.
"""

"""The HPA v2 algorithm of Kubernetes, exact and pure: (controller, spec, state, observation, now) -> step.

Numbers are milli-integers (int64) and IEEE doubles in upstream's order of operations, so that the last bit agrees;
every function names the upstream function that it mirrors (k8s.io/kubernetes/pkg/controller/podautoscaler, read
in 1.30.14, 1.33.13, 1.36.3 and 1.37.2). `reconcile` is the door; `controller` says which Kubernetes it is, `spec`
and `observation` what goes in, `state` what is kept between two steps. Imports nothing but `cme.core`.
"""

"""The real kube-controller-manager decides for random HPAs, and adapter.hpa must reproduce each of its decisions.

`generator` draws workloads and what their metrics answer, `manifests` and `wire` write both down as the API has
them, `metrics_server` answers the controller, `stage` puts it all before a control plane whose pods and sizes are
what we write. `audit` reads back what the controller read and wrote, and when; `decisions` makes steps of it, and
`replay` asks the model for each.
"""

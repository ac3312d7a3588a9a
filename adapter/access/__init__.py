"""Who may ask: kube-apiserver's delegated authentication and authorization.

`trust` is what the cluster publishes, `users` an identity, `certificates` what a client presented, `authenticate`
finds the identity, `attributes` names what a request touches, `authorize` asks whether it may, `lanes` keep those who
ask without end from holding up the others, `cache` remembers, `gate` puts them in front of the API. Protocol:
https://kubernetes.io/docs/tasks/extend-kubernetes/configure-aggregation-layer/ and
https://kubernetes.io/docs/reference/access-authn-authz/. Fails closed: an identity or a permission that can't be learnt
is an error, never a yes.
"""

"""Which policies are in effect, and what their writers are told.

`standing` is the pure rule, `objects` what the cluster holds, `keeper` brings both together whenever something
changes; `manifest` makes the CustomResourceDefinition of the models; `status` says pure what an object's status should
be, `reporter` writes it. May import `cme.core`, `cme.log`, `cme.runtime` and `cme.sources`.
"""

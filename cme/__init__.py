"""The collection plane (custom metrics engine) and what all planes share.

`core` holds values and pure rules, `log` the one durable thing, `sources` what can be measured,
`runtime` the asyncio shell. Nothing in here knows the predictor or the adapter.
"""

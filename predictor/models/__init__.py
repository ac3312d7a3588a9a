"""Classical models, by statsmodels: the only room that may import it, and only when a model is asked for.

Importing statsmodels costs over a second and 145 MiB, so whoever calls in here does it in a process of its own.
"""

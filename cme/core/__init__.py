"""Values and pure rules that every plane shares: no I/O, no clock of its own, no Kubernetes client.

Imports only the standard library, numpy, pydantic, cronsim and PyYAML's parsed documents.
"""

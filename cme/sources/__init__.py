"""What can be measured: one file a source, each on the registry; README.md says how to write one.

A source turns its own specification (validated by its pydantic model) into readings. It knows nothing of
policies, ticks or the log. May import `cme.core`, and `cme.runtime` for HTTP.
"""

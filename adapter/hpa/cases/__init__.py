"""Files of cases for the HPA's arithmetic: `python -m adapter.hpa.cases FILE` says which ones differ.

A file is a JSON object whose `cases` are objects with id, kind, version, `in` and `expect`. `fields` reads
them strictly, `inputs` builds our types from them, `kinds` knows every kind, `check` compares.
"""

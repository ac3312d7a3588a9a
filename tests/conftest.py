"""A test asserts behavior, never time: on a busy machine any example may take long."""

from hypothesis import settings

settings.register_profile("tidecast", deadline=None)
settings.load_profile("tidecast")

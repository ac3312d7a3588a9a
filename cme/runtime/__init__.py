"""The asyncio shell that every process shares: tasks that are guarded and stopped, telemetry, logging.

May import `cme.core` only; knows nothing of what runs in it.
"""

"""Moved: see ``perdure.store.logs``."""

from perdure.store.logs import LogEvent, LogGroup, LogQuery, LogStore, LogStream

__all__ = ["LogEvent", "LogGroup", "LogQuery", "LogStore", "LogStream"]

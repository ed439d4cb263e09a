"""Keeps executions, and knows no rule about them: memory and SQLite behind one small protocol.

Callers submit a ``Change``; a store commits many in one transaction and answers each.
"""

__all__: list[str] = []

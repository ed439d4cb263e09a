"""Bugs, planted on purpose: each breaks one rule of the core, the engine or the store, and the
simulator has to find it (RELIABILITY.md section 4.4).

A bug is planted for the length of a ``with`` and leaves nothing behind.
"""

from . import core_bugs, engine_bugs, node_bugs
from .planting import BUGS, Bug, without_invariants

__all__ = ["BUGS", "Bug", "core_bugs", "engine_bugs", "node_bugs", "without_invariants"]

"""The server's state machine: what a command does to an execution. Pure: no I/O, clock, randomness
or logging.

``machine.apply(execution, command, now_ms)`` returns an ``Outcome``: what changed, what to answer,
what to do next. It never changes its arguments; a refused command raises a ``Refusal`` and changes
nothing.
"""

__all__: list[str] = []

"""Load, apply, commit, effects: the engine carries commands out, and keeps time.

One duty, one module: ``commands`` carries out, ``dispatcher`` runs handlers, ``ticker`` wakes,
``outbox`` delivers, ``reaper`` frees what the dead held, ``pruner`` removes what has expired.
``executions`` answers the API's calls.
"""

__all__: list[str] = []

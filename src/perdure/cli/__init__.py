"""The ``perdure`` command. ``serve`` and ``dev`` run a server; everything else is a client of its
HTTP API and works against any server that speaks it.
"""

__all__: list[str] = []

"""The Python SDK: what authors of durable handlers import, by way of the doors in ``perdure``.

Standard library and ``perdure.protocol`` only. Modules are imported one by one; this package
re-exports nothing, so that a handler's cold start pays only for what it uses.
"""

__all__: list[str] = []

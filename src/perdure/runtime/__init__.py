"""Runs function code: worker processes that speak the Lambda Runtime API, and all they need; or
handlers in this very process.

``pool.WorkerPool`` and ``in_process.InProcessInvoker`` are the engine's ``Invoker``. Modules are
imported one by one: what runs in process needs no HTTP.
"""

__all__: list[str] = []

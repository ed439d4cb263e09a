"""The console: a web page, and the few routes that only it needs. ``docs/console.md`` describes
them.

``app`` leads a request to the service that answers it, and answers with headers that let a browser
do nothing that is not needed. All that executions and functions are asked goes through the engine.
"""

from perdure.console.app import Console

__all__ = ["Console"]

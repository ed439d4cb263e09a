"""The catalog of functions: versions, aliases, settings, code; over records in any store.

``catalog`` puts it together; ``registry`` is what all calls stand on; ``resolver`` is what the
engine asks; ``settings`` knows AWS's defaults and rules; a module for each kind of call.
"""

from perdure.engine.functions.catalog import FunctionCatalog
from perdure.engine.functions.records import RecordStore
from perdure.engine.functions.registry import Account

__all__ = ["Account", "FunctionCatalog", "RecordStore"]

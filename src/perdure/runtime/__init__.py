"""Runs function code: worker processes that speak the Lambda Runtime API, and all they need.

``WorkerPool`` is the engine's ``Invoker``. Nothing here knows what a durable execution is.
"""

from perdure.runtime.archive import check_archive
from perdure.runtime.code import LoadCode, code_sha256
from perdure.runtime.errors import BadArchiveError
from perdure.runtime.pool import WorkerPool
from perdure.runtime.settings import Credentials, RuntimeSettings

__all__ = [
    "BadArchiveError",
    "Credentials",
    "LoadCode",
    "RuntimeSettings",
    "WorkerPool",
    "check_archive",
    "code_sha256",
]

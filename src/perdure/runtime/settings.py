"""How workers run on this machine: one value, given to the pool by the composition root."""

from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Credentials", "RuntimeSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What the AWS SDKs inside a function sign with. They are ours alone: AWS never sees them."""

    access_key_id: str = "AKIAIOSFODNN7PERDURE"
    secret_access_key: str = "perdure"
    session_token: str = "perdure"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeSettings:
    """Everything workers need to know of the service and the machine."""

    #: the service's own URL, where the AWS SDKs inside functions send their calls
    endpoint_url: str
    data_folder: Path  #: extracted code and workers' temporary folders live below it
    region: str = "us-east-1"
    account_id: str = "000000000000"
    worker_max: int = 64  #: live workers of all functions on this node
    idle_seconds: float = 300.0  #: an idle worker is retired after this
    #: suspended handlers that a worker may keep in memory, if its SDK can; 0: none
    kept_handlers_max: int = 100
    #: a worker that is not ready by then is killed. AWS: 10 s, then again within the timeout
    init_seconds: float = 60.0
    retire_seconds: float = 2.0  #: between SIGTERM and SIGKILL
    credentials: Credentials = field(default_factory=Credentials)
    #: offered to Node.js functions; see ``node_libraries``
    node_libraries_folder: Path | None = None
    limit_memory: bool = True  #: kill workers that use more than their function's memory

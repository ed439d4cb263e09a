"""What can be set for a server, with its defaults; read from the command line and ``PERDURE_*``
variables by the CLI.
"""

from dataclasses import dataclass, field
from pathlib import Path

from perdure.core.quotas import RELAXED_QUOTAS, Quotas

__all__ = ["ServerSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerSettings:
    """How one server runs."""

    data_folder: Path  #: state, code, logs and keys; made if it is not there
    #: ``postgres://...``, shared with other nodes; empty: SQLite in the data folder
    store_url: str = field(default="", repr=False)
    is_ha: bool = False  #: what is acknowledged must outlive the loss of a database node
    allows_weak_durability: bool = False
    connections_max: int = 8  #: to the database
    key_file: Path | None = None  #: of the signing key; None: in the data folder
    secret_key: str = field(default="", repr=False)  #: the key itself, in hexadecimal
    node_address: str = ""  #: where the other nodes and people find this one; empty: as it listens
    host: str = "127.0.0.1"
    port: int = 9070  #: 0: any free one
    region: str = "us-east-1"
    account_id: str = "000000000000"
    allowed_hosts: tuple[str, ...] = ()  #: Host headers taken beside those of loopback (SR-17)
    #: hosts, addresses and networks that functions may be at, perhaps with ports (SR-20)
    allowed_endpoints: tuple[str, ...] = ()
    is_insecure: bool = (
        False  #: allows other addresses than loopback, before there is authentication
    )
    quotas: Quotas = RELAXED_QUOTAS
    invocations_max: int = 64  #: handlers that run at once
    worker_idle_seconds: float = 300.0
    #: suspended handlers that a worker may keep, to go on without a replay; 0: each resume replays
    kept_handlers_max: int = 100
    lease_ms: int | None = None  #: None: a minute alone, 12 seconds where nodes share the store
    shutdown_seconds: float = 10.0  #: how long running invocations may end by themselves
    has_console: bool = True  #: serves the web page, and the routes that only it needs
    is_development: bool = False  #: run by ``perdure dev``; the console says so
    node_libraries_folder: Path | None = None  #: None: a cache folder of the user's
    destinations: dict[str, str] = field(default_factory=dict[str, str])

"""Whether a PostgreSQL server keeps what it says it has committed (D5), read back from it."""

from dataclasses import dataclass
from typing import Any, Final

from perdure.store.postgres_connections import Connection
from perdure.store.protocol import StoreOpenError

__all__ = ["DurabilityReport", "WeakDurabilityError", "Weakness", "read_durability"]

_SELECT_SETTINGS: Final = """
SELECT current_setting('fsync') AS fsync, current_setting('full_page_writes') AS full_page_writes,
    current_setting('synchronous_commit') AS synchronous_commit,
    current_setting('synchronous_standby_names') AS synchronous_standby_names,
    (SELECT count(*) FROM pg_stat_replication WHERE sync_state IN ('sync', 'quorum'))
        AS synchronous_standbys,
    (SELECT count(*) FROM pg_stat_replication) AS standbys,
    current_setting('server_version') AS server_version
"""
_LEVELS: Final = ("on", "remote_apply")


@dataclass(frozen=True, slots=True, kw_only=True)
class Weakness:
    """A setting that promises less than is needed."""

    setting: str
    value: str
    needed: str

    def __str__(self) -> str:
        """Return it in words."""
        return f"{self.setting} is {self.value or 'empty'} and must be {self.needed}"


class WeakDurabilityError(StoreOpenError):
    """The server may lose what it says it has committed."""

    def __init__(self, address: object, weaknesses: tuple[Weakness, ...]) -> None:
        """Name every setting, its value and what is needed."""
        said = "; ".join(map(str, weaknesses))
        super().__init__(
            f"{address} may lose acknowledged changes: {said}."
            " Change that, or allow weak durability explicitly"
        )
        self.weaknesses = weaknesses


@dataclass(frozen=True, slots=True, kw_only=True)
class DurabilityReport:
    """What was read back at start."""

    settings: dict[str, str]
    is_ha: bool
    weaknesses: tuple[Weakness, ...]

    @property
    def is_strong(self) -> bool:
        """Whether every acknowledged change outlives a power cut; with ``is_ha``, a node too."""
        return not self.weaknesses

    @property
    def level(self) -> str:
        """Return the ``synchronous_commit`` to hold every commit to; empty: as it is."""
        level = self.settings["synchronous_commit"]
        return level if level in _LEVELS else ""


async def read_durability(connection: Connection, *, is_ha: bool) -> DurabilityReport:
    """Return how durable commits over ``connection`` are.

    ``is_ha``: they must outlive the loss of a database node as well.
    """
    row: Any = await connection.fetchrow(_SELECT_SETTINGS)
    settings = {name: str(value) for name, value in row.items()}
    weaknesses = [
        Weakness(setting=name, value=settings[name], needed="on")
        for name in ("fsync", "full_page_writes")
        if settings[name] != "on"
    ]
    if settings["synchronous_commit"] not in _LEVELS:
        value, needed = settings["synchronous_commit"], "on or remote_apply"
        weaknesses.append(Weakness(setting="synchronous_commit", value=value, needed=needed))
    if is_ha and not settings["synchronous_standby_names"].strip():
        needed = "the names of standbys, for high availability"
        weaknesses.append(Weakness(setting="synchronous_standby_names", value="", needed=needed))
    elif is_ha and settings["synchronous_standbys"] == "0":
        needed = "one that is synchronous, and seen by this role (pg_monitor)"
        value = f"0 of {settings['standbys']} connected standbys"
        weaknesses.append(Weakness(setting="pg_stat_replication", value=value, needed=needed))
    return DurabilityReport(settings=settings, is_ha=is_ha, weaknesses=tuple(weaknesses))

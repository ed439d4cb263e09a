"""Hints by LISTEN and NOTIFY, over one connection of their own.

What is published while a message is on its way goes into the next one. A hint that is lost costs a
poll (see ``store/hints.py``): the connection may be gone for a while, or be one that a pooler does
not let listen.
"""

import asyncio
import json
import logging
from collections.abc import Sequence
from typing import Any, Final

from perdure.store.hints import LOST, Hear
from perdure.store.postgres_connections import Address, Connection, close
from perdure.store.protocol import StoreUnavailableError

__all__ = ["PostgresHints"]

_log = logging.getLogger(__name__)

_CHANNEL: Final = "perdure"
_PAYLOAD_BYTES_MAX: Final = 7_900  #: PostgreSQL takes less than 8,000
_KEYS_MAX: Final = 10_000  #: what waits to be sent; the oldest go first
_SEND_SECONDS: Final = 5.0
_QUIET_SECONDS: Final = 15.0  #: after which the connection is tried
_PAUSE_SECONDS: Final = 0.5
_CLOSE_SECONDS: Final = 2.0

#: A hint need not outlive anything, so nobody waits for the disk.
_NOTIFY: Final = """
SELECT set_config('synchronous_commit', 'off', true), pg_notify($1, payload)
FROM unnest($2::TEXT[]) AS sent (payload)
"""


class PostgresHints:
    """Passes hints between the nodes on one database."""

    def __init__(self, url: str) -> None:
        """Name the database."""
        self._address = Address(url)
        self._subscribers: list[Hear] = []
        self._waiting: dict[tuple[str, str], None] = {}
        self._wake = asyncio.Event()
        self._is_closing = False
        self._run: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Begin to hear others; if the database cannot be reached now, as soon as it can."""
        try:
            connection: Connection | None = await self._connect()
        except (StoreUnavailableError, OSError, TimeoutError) as error:
            _log.warning("no hints for now: %s", error)
            connection = None
        self._run = asyncio.create_task(self._serve(connection), name="perdure-hints")

    async def aclose(self) -> None:
        """Send what was published, and let go."""
        self._is_closing = True
        self._wake.set()
        if self._run is not None:
            done, _ = await asyncio.wait([self._run], timeout=_CLOSE_SECONDS)
            if not done:
                self._run.cancel()
                await asyncio.wait([self._run])

    def publish(self, topic: str, keys: Sequence[str]) -> None:
        """Tell the other nodes, soon."""
        for key in keys:
            self._waiting[topic, key] = None
        while len(self._waiting) > _KEYS_MAX:
            del self._waiting[next(iter(self._waiting))]
        self._wake.set()

    def subscribe(self, hear: Hear) -> None:
        """Call ``hear`` with every topic and its keys; with ``LOST`` when some may be missing."""
        self._subscribers.append(hear)

    async def _serve(self, connection: Connection | None) -> None:
        while not (self._is_closing and (connection is None or not self._waiting)):
            try:
                if connection is None or connection.is_closed():
                    connection = await self._connect()
                    self._tell(LOST, ())
                await self._pass_on(connection)
            except Exception as error:  # noqa: BLE001 - losing hints is no reason to end
                _log.warning("hints are interrupted: %r", error)
                if connection is not None:
                    connection.terminate()
                connection = None
                await asyncio.sleep(_PAUSE_SECONDS)
        if connection is not None:
            await close(connection)

    async def _connect(self) -> Connection:
        connection = await self._address.connect()
        connection.add_termination_listener(lambda _: self._wake.set())
        async with asyncio.timeout(_SEND_SECONDS):
            await connection.add_listener(_CHANNEL, self._hear)
        return connection

    async def _pass_on(self, connection: Connection) -> None:
        """Send what waits, or see that the connection is still good."""
        try:
            async with asyncio.timeout(_QUIET_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass
        self._wake.clear()
        waiting, self._waiting = self._waiting, {}
        async with asyncio.timeout(_SEND_SECONDS):
            if waiting:
                await connection.execute(_NOTIFY, _CHANNEL, _payloads(waiting))
            elif not connection.is_closed():
                await connection.fetchval("SELECT 1")

    def _hear(self, connection: Connection, pid: int, _: str, payload: str) -> None:
        if pid == connection.get_server_pid():
            return
        try:
            topic, keys = json.loads(payload)
        except ValueError:
            _log.warning("a hint cannot be read: %.100s", payload)
        else:
            self._tell(topic, tuple(keys))

    def _tell(self, topic: str, keys: tuple[str, ...]) -> None:
        for hear in self._subscribers:
            hear(topic, keys)


def _payloads(waiting: dict[tuple[str, str], Any]) -> list[str]:
    """Return messages that hold all topics and keys, each within its limit."""
    by_topic: dict[str, list[str]] = {}
    for topic, key in waiting:
        by_topic.setdefault(topic, []).append(key)
    payloads: list[str] = []
    for topic, keys in by_topic.items():
        some: list[str] = []
        size = room = len(json.dumps([topic, []]))
        for key in keys:
            more = len(json.dumps(key)) + 2
            if room + more > _PAYLOAD_BYTES_MAX:
                _log.warning("a hint of %s is too long to be sent", topic)
                continue
            if size + more > _PAYLOAD_BYTES_MAX:
                payloads.append(json.dumps([topic, some]))
                some, size = [], room
            some.append(key)
            size += more
        if some:
            payloads.append(json.dumps([topic, some]))
    return payloads

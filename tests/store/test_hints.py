"""What nodes tell each other."""

import asyncio
from collections.abc import Callable
from pathlib import Path

import asyncpg
import pytest

from perdure.store.hints import LOST, LocalHints
from perdure.store.postgres_hints import PostgresHints

from .clusters import a_database


class Ear:
    """Remembers what it has heard, and can be waited for."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.heard: list[tuple[str, tuple[str, ...]]] = []
        self._news = asyncio.Event()

    def __call__(self, topic: str, keys: tuple[str, ...]) -> None:
        self.heard.append((topic, keys))
        self._news.set()

    def keys(self, topic: str) -> list[str]:
        """Return all keys of a topic."""
        return [key for one, keys in self.heard if one == topic for key in keys]

    async def until(self, is_there: Callable[[], bool]) -> None:
        """Wait until something has been heard."""
        async with asyncio.timeout(20):
            while not is_there():
                self._news.clear()
                await self._news.wait()


def test_a_node_that_is_alone_hears_nothing() -> None:
    heard: list[object] = []

    async def story() -> None:
        hints = LocalHints()
        hints.subscribe(lambda topic, keys: heard.append((topic, keys)))
        await hints.open()
        hints.publish("ready", ["1"])
        await hints.aclose()

    asyncio.run(story())
    assert heard == []


async def two(folder: Path) -> tuple[PostgresHints, PostgresHints, Ear, Ear]:
    url = a_database(folder)
    mine, theirs, ear, other = PostgresHints(url), PostgresHints(url), Ear(), Ear()
    mine.subscribe(ear)
    theirs.subscribe(other)
    await mine.open()
    await theirs.open()
    return mine, theirs, ear, other


def test_the_others_hear_and_oneself_does_not(tmp_path: Path) -> None:
    async def story() -> None:
        mine, theirs, ear, other = await two(tmp_path)
        mine.publish("ready", ["1", "2", "1"])
        mine.publish("ended", ["é\0"])
        await other.until(lambda: len(other.heard) == 2)
        assert other.heard == [("ready", ("1", "2")), ("ended", ("é\0",))]
        theirs.publish("back", ["3"])
        await ear.until(lambda: bool(ear.heard))
        assert ear.heard == [("back", ("3",))]
        await mine.aclose()
        await theirs.aclose()

    asyncio.run(story())


def test_many_keys_come_in_messages_that_are_not_too_long(tmp_path: Path) -> None:
    async def story() -> None:
        mine, theirs, _, other = await two(tmp_path)
        keys = [f"{number:032x}" for number in range(2_000)]
        mine.publish("ready", [*keys, "x" * 9_000])
        await other.until(lambda: len(other.keys("ready")) == 2_000)
        assert other.keys("ready") == keys
        assert 1 < len(other.heard) < 20
        await mine.aclose()
        await theirs.aclose()

    asyncio.run(story())


def test_closing_sends_what_was_published(tmp_path: Path) -> None:
    async def story() -> None:
        mine, theirs, _, other = await two(tmp_path)
        mine.publish("ready", ["last"])
        await mine.aclose()
        await other.until(lambda: other.keys("ready") == ["last"])
        await theirs.aclose()

    asyncio.run(story())


@pytest.mark.parametrize("count", [1, 3])
def test_after_an_interruption_everybody_looks_and_hears_again(count: int, tmp_path: Path) -> None:
    """G3: its backend is ended."""

    async def story() -> None:
        mine, theirs, ear, other = await two(tmp_path)
        admin = await asyncpg.connect(a_database(tmp_path))
        for round_number in range(1, count + 1):
            await admin.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            for one in (ear, other):
                await one.until(lambda one=one, n=round_number: one.heard.count((LOST, ())) >= n)
            mine.publish("ready", [str(round_number)])
            await other.until(lambda n=round_number: str(n) in other.keys("ready"))
        await admin.close()
        await mine.aclose()
        await theirs.aclose()

    asyncio.run(story())

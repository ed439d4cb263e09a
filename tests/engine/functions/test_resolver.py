"""What was found is kept until something is written, and never longer."""

import asyncio

import pytest

from perdure.core.errors import ResourceConflict, Unavailable
from perdure.engine.functions import resolver
from perdure.protocol.functions import DeleteFunctionRequest, UpdateFunctionConfigurationRequest
from perdure.store.memory import MemoryStore
from perdure.store.protocol import StoreUnavailableError
from perdure.store.records import Record, RecordConflictError, RecordWrite

from .builders import ARN, Catalog


class WatchedStore(MemoryStore):
    """Counts reads, can be late with one, and can have been written to by somebody else."""

    def __init__(self) -> None:
        super().__init__()
        self.reads = 0
        self.gate: asyncio.Event | None = None
        self.is_contended = False
        self.is_away = False

    async def read_record(self, collection: str, key: str) -> Record | None:
        self.reads += 1
        if self.is_away:
            raise StoreUnavailableError("gone")
        record = await super().read_record(collection, key)
        if self.gate is not None:
            await self.gate.wait()
        return record

    async def write_records(self, writes: list[RecordWrite]) -> None:  # type: ignore[override]
        if self.is_contended:
            raise RecordConflictError
        await super().write_records(writes)


def test_what_was_found_is_kept() -> None:
    store = WatchedStore()
    catalog = Catalog(store)
    code_sha256 = catalog.create().code_sha256 or ""
    for ask in (
        lambda: catalog.resolve("f"),
        lambda: catalog.resolve_pinned("$LATEST", code_sha256),
        lambda: catalog.wait(catalog.catalog.directory.async_settings(ARN, "$LATEST")),
    ):
        first = ask()
        reads = store.reads
        assert ask() == first
        assert store.reads == reads


def test_what_cannot_be_looked_up_is_refused_for_now() -> None:
    store = WatchedStore()
    catalog = Catalog(store)
    code_sha256 = catalog.create().code_sha256 or ""
    store.is_away = True
    for ask in (
        lambda: catalog.resolve("f"),
        lambda: catalog.resolve_pinned("$LATEST", code_sha256),
        lambda: catalog.wait(catalog.catalog.directory.async_settings(ARN, "$LATEST")),
    ):
        with pytest.raises(Unavailable, match="gone"):
            ask()


def test_what_was_found_is_forgotten_when_something_is_written() -> None:
    catalog = Catalog()
    catalog.create()
    assert catalog.resolve("f").timeout_seconds == 3
    request = UpdateFunctionConfigurationRequest(function_name="f", timeout=9)
    catalog.call("update_function_configuration", request)
    assert catalog.resolve("f").timeout_seconds == 9


def test_what_was_read_before_a_write_is_not_kept_after_it() -> None:
    store = WatchedStore()
    catalog = Catalog(store)
    catalog.create()
    update = catalog.catalog.handlers[0].update_function_configuration  # type: ignore[attr-defined]
    directory = catalog.catalog.directory

    async def race() -> int:
        gate = store.gate = asyncio.Event()
        reading = asyncio.create_task(directory.resolve("f", None, draw=lambda: 0.0))
        await asyncio.sleep(0)  # it has read, and waits
        store.gate = None
        await update(UpdateFunctionConfigurationRequest(function_name="f", timeout=9))
        gate.set()
        await reading
        return (await directory.resolve("f", None, draw=lambda: 0.0)).timeout_seconds

    assert asyncio.run(race()) == 9


def test_not_everything_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver, "_ENTRIES_MAX", 2)
    catalog = Catalog()
    catalog.create()
    for identifier in ("f", ARN, "function:f", "f:$LATEST", "000000000000:f"):
        assert catalog.resolve(identifier).function_name == "f"


def test_another_process_that_was_first_is_a_conflict() -> None:
    store = WatchedStore()
    catalog = Catalog(store)
    catalog.create()
    store.is_contended = True
    with pytest.raises(ResourceConflict, match="An update is in progress"):
        catalog.call("delete_function", DeleteFunctionRequest(function_name="f"))

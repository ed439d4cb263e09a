"""What one node remembers of functions, and another changes."""

from perdure.engine.functions.generation import Generation
from perdure.store.memory import MemoryStore
from perdure.store.records import Record
from tests.engine.stories import told


class CountingStore(MemoryStore):
    """Counts reads."""

    reads = 0

    async def read_record(self, collection: str, key: str) -> Record | None:
        self.reads += 1
        return await super().read_record(collection, key)


async def a_generation(store: MemoryStore, *, is_shared: bool = True) -> Generation:
    """Return one that has been read."""
    generation = Generation(store)
    generation.is_shared = is_shared
    await generation.refresh()
    return generation


@told
async def test_alone_nothing_is_read_or_marked() -> None:
    store = CountingStore()
    generation = await a_generation(store, is_shared=False)
    generation.doubt()
    await generation.refresh()
    assert (store.reads, generation.marks(), generation.number) == (0, [], 0)


@told
async def test_what_was_read_a_moment_ago_is_believed() -> None:
    store = CountingStore()
    generation = await a_generation(store)
    number = generation.number
    for _ in range(10):
        await generation.refresh()
    assert (store.reads, generation.number) == (1, number)


@told
async def test_a_write_elsewhere_is_seen_when_there_is_doubt() -> None:
    store = CountingStore()
    here, there = await a_generation(store), await a_generation(store)
    number = here.number
    await store.write_records(there.marks())
    here.doubt()
    await here.refresh()
    assert here.number == number + 1
    here.doubt()
    await here.refresh()
    assert here.number == number + 1


@told
async def test_whoever_writes_tells_and_reads_again() -> None:
    store = CountingStore()
    generation = await a_generation(store)
    told: list[int] = []
    generation.on_raised = lambda: told.append(generation.number)
    number, reads = generation.number, store.reads
    generation.raise_number()
    await generation.refresh()
    assert (told, store.reads) == ([number + 1], reads + 1)

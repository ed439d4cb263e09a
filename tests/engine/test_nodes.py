"""Who lives, who is gone, and what each may run."""

from typing import Any

import pytest

from perdure.clock import ManualClock
from perdure.engine.engine import Engine
from perdure.engine.hearsay import Topic
from perdure.engine.nodes import NodeDocument, Nodes, read_nodes
from perdure.store.memory import MemoryStore

from .pair import Wire
from .stories import told

NOW_MS = 1_800_000_000_000


class Crowd:
    """Some nodes on one store and one clock."""

    def __init__(self) -> None:
        self.store = MemoryStore(is_exclusive=False)
        self.clock = ManualClock(NOW_MS)
        self.gone: list[str] = []

    async def join(self, node_id: str, *, predecessor: str = "", **settings: Any) -> Nodes:
        engine = Engine(self.store, self.clock, owner=node_id, hints=Wire())
        me = NodeDocument(
            node_id=node_id,
            address=f"http://{node_id}",
            version="1",
            started_at_ms=self.clock.now_ms(),
            seen_at_ms=0,
            **settings,
        )
        nodes = Nodes(
            engine,
            me=me,
            predecessor=predecessor,
            running=lambda: 3,
            on_gone=lambda: self.gone.append(node_id),
        )
        await nodes.run_once()
        return nodes

    async def beat(self, *nodes: Nodes) -> None:
        for each in nodes:
            await each.run_once()


@told
async def test_nodes_know_of_each_other() -> None:
    crowd = Crowd()
    first, second = await crowd.join("a"), await crowd.join("b")
    await crowd.beat(first)
    assert [node.node_id for node in first.known] == ["a", "b"]
    assert [node.running for node in second.known] == [3, 3]
    assert (first.is_alive("b"), second.is_alive("a"), first.is_alive("c")) == (True, True, False)


@told
async def test_a_silent_node_is_gone_then_forgotten() -> None:
    crowd = Crowd()
    first, second = await crowd.join("a"), await crowd.join("b")
    await crowd.beat(first)
    crowd.clock.advance(5)
    await crowd.beat(first)
    assert (first.is_alive("b"), crowd.gone) == (True, [])
    crowd.clock.advance(2)
    await crowd.beat(first)
    assert (first.is_alive("b"), crowd.gone) == (False, ["a"])
    crowd.clock.advance(60)
    await crowd.beat(first)
    assert [node.node_id for node in await read_nodes(crowd.store)] == ["a"]
    await crowd.beat(second, first)
    assert first.is_alive("b")


@told
async def test_who_is_started_in_a_dead_nodes_place_says_that_it_is_gone() -> None:
    crowd = Crowd()
    first, dead = await crowd.join("a"), await crowd.join("b")
    await crowd.beat(first)
    heir = await crowd.join("c", predecessor="b")
    await heir.start()
    await crowd.beat(first)
    assert (first.is_alive("b"), heir.is_alive("b"), crowd.gone) == (False, False, ["c", "a"])
    await crowd.beat(dead, first)  # it was not: somebody has copied its data folder
    assert first.is_alive("b")
    await heir.stop()


@told
async def test_a_predecessor_that_nobody_knows_is_no_matter() -> None:
    crowd = Crowd()
    heir = await crowd.join("c", predecessor="b")
    await heir.start()
    assert [node.node_id for node in heir.known] == ["c"]
    await heir.stop()


@pytest.mark.parametrize("concurrency_max", [0, 1, 2, 3, 7, 1000])
@told
async def test_the_shares_of_all_nodes_are_the_whole(concurrency_max: int) -> None:
    crowd = Crowd()
    nodes = [await crowd.join(name) for name in "abc"]
    await crowd.beat(*nodes)
    shares = [each.share(concurrency_max) for each in nodes]
    assert sum(shares) == concurrency_max
    assert max(shares) - min(shares) <= 1


@told
async def test_a_node_that_drains_leaves_its_share_to_the_others() -> None:
    crowd = Crowd()
    first, second = await crowd.join("a"), await crowd.join("b")
    await second.drain()
    await crowd.beat(first)
    assert first.share(5) == 5
    await second.stop()
    await crowd.beat(first)
    assert [node.node_id for node in first.known] == ["a"]


@told
async def test_a_node_knows_when_it_is_alone() -> None:
    crowd = Crowd()
    first = await crowd.join("a")
    assert first._engine.hearsay.is_alone
    second = await crowd.join("b")
    assert not second._engine.hearsay.is_alone
    await second.start()
    hints: Any = second._engine.hearsay._hints
    assert (Topic.NODES, ("",)) in hints.said
    await second.stop()

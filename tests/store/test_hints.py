"""What nodes tell each other."""

import asyncio

from perdure.store.hints import LocalHints


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

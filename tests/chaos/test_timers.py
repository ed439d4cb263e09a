"""Ten thousand timers that are due at one instant."""

import asyncio
import json
import time
from collections import Counter
from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.in_process import PENDING, Call, Clock, Service, serving_in_process

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(240)]

#: Begun by a server that was stopped before they were due, and by the one that is there then.
EARLY, LATE = 5_000, 5_000
#: So soon before the instant that the ticker holds the late ones in memory from their beginning.
EARLY_SECONDS, LATE_SECONDS = 3600, 20
AT_ONCE: Final = 200


def test_timers_due_at_one_instant_are_each_handled_once(tmp_path: Path) -> None:
    asyncio.run(story(tmp_path / "data"))


async def story(folder: Path) -> None:
    """Begin half of the waits, start again, begin the other half, and let their time come."""
    clock = Clock()
    due_ms = clock.at_ms + EARLY_SECONDS * 1000
    resumed: Counter[str] = Counter()

    async def handler(call: Call) -> dict[str, Any]:
        if "w" in call.operations:
            resumed[call.arn] += 1
            return {"Status": "SUCCEEDED", "Result": str(clock.now_ms())}
        (root,) = call.operations.values()
        seconds = json.loads(root["ExecutionDetails"]["InputPayload"])
        update = {"Id": "w", "Type": "WAIT", "Action": "START"}
        await call.checkpoint({**update, "WaitOptions": {"WaitSeconds": seconds}})
        return PENDING

    async with serving_in_process(folder, clock, handler) as service:
        arns = await begin(service, EARLY, EARLY_SECONDS)
    async with serving_in_process(folder, clock, handler) as service:
        await service.advance(due_ms - LATE_SECONDS * 1000)
        arns += await begin(service, LATE, LATE_SECONDS)
        await service.advance(due_ms - 1)
        assert not resumed
        began = time.monotonic()
        await service.advance(due_ms)
        print(f"{len(resumed)} timers were handled in {time.monotonic() - began:.1f} s")  # noqa: T201
        assert resumed == Counter(arns)
        for arn in arns:
            await check(service, arn, due_ms)


async def begin(service: Service, count: int, seconds: int) -> list[str]:
    """Start executions that wait so long; return their ARNs when they do."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def one(_: int) -> str:
        async with gate:
            return await service.start(str(seconds))

    arns = await asyncio.gather(*map(one, range(count)))
    await service.settle()
    return arns


async def check(service: Service, arn: str, due_ms: int) -> None:
    """Hold what history says of an execution to what has to be there."""
    events = await service.history(arn)
    assert [event["EventType"] for event in events] == [
        "ExecutionStarted",
        "WaitStarted",
        "InvocationCompleted",
        "WaitSucceeded",
        "InvocationCompleted",
        "ExecutionSucceeded",
    ]
    assert {event["EventTimestamp"] * 1000 for event in events[3:]} == {due_ms}

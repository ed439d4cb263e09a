"""Ten thousand executions that wait on callbacks: they cost the server next to nothing."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import pytest

from perdure.clock import SystemClock
from tests.service.deployment import closed, deploy, start
from tests.service.in_process import PENDING, Call, serving_in_process
from tests.serving import ServerProcess, client, eventually, serving

pytestmark = [pytest.mark.chaos, pytest.mark.timeout(300)]

FUNCTIONS: Final = Path(__file__).parent / "functions"
WAITING: Final = 10_000
THROUGH_THE_API: Final = 1_000
AT_ONCE: Final = 200
MEMORY_KB_MAX: Final = 20 * 1024
READY_SECONDS_MAX: Final = 10
ANSWERED: Final = 20


def test_executions_that_wait_cost_the_server_no_memory(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "asking", FUNCTIONS / "asking.py", MemorySize=128)
        finish(api, [start(api, "asking")])
        idle_kb = server.memory_kb()
        assert server.stop() == 0

        asyncio.run(wait_in_process(tmp_path / "data", WAITING))

        server.start()
        show(server, idle_kb, "after the start")
        arns = running(api)
        assert len(arns) == WAITING
        show(server, idle_kb, "after all were listed")
        listed_kb = server.memory_kb()
        with ThreadPoolExecutor(8) as pool:
            more = list(pool.map(lambda _: start(api, "asking"), range(THROUGH_THE_API)))
        eventually(lambda: all_wait(api, more), seconds=120, what="the wait of all")
        assert len(running(api)) == WAITING + THROUGH_THE_API
        show(server, listed_kb, "after more were started")

        assert server.stop() == 0
        server.start()
        show(server, idle_kb, "after another start")
        finish(api, [*arns[:ANSWERED], *arns[-ANSWERED:], *more[:ANSWERED]])
        show(server, idle_kb, "after some had ended")
        assert server.stop() == 0


async def wait_in_process(data: Path, count: int) -> None:
    """Bring so many executions to their callback."""

    async def handler(call: Call) -> dict[str, Any]:
        await call.checkpoint({"Id": "c", "Type": "CALLBACK", "Action": "START", "Name": "answer"})
        return PENDING

    async with serving_in_process(data, SystemClock(), handler, has_catalog=True) as service:
        gate = asyncio.Semaphore(AT_ONCE)

        async def one(_: int) -> None:
            async with gate:
                await service.start("null", function="asking:$LATEST")

        await asyncio.gather(*map(one, range(count)))
        await service.settle()


def show(server: ServerProcess, idle_kb: int, when: str) -> None:
    """Hold the server to its bounds, and say where it is."""
    more_kb = server.memory_kb() - idle_kb
    print(  # noqa: T201 - the figures are worth more than that they are in bounds
        f"{when}: ready in {server.ready_seconds:.2f} s, {more_kb / 1024:+.1f} MB"
    )
    assert more_kb < MEMORY_KB_MAX
    assert server.ready_seconds < READY_SECONDS_MAX


def running(api: Any) -> list[str]:
    """Return the ARNs of all that run."""
    pages = api.get_paginator("list_durable_executions_by_function").paginate(
        FunctionName="asking", Statuses=["RUNNING"], PaginationConfig={"PageSize": 1000}
    )
    return [one["DurableExecutionArn"] for page in pages for one in page["DurableExecutions"]]


def callback_id(api: Any, arn: str) -> str | None:
    """Return the id of an execution's callback, once it has suspended."""
    events = api.get_durable_execution_history(DurableExecutionArn=arn)["Events"]
    ids = [
        e["CallbackStartedDetails"]["CallbackId"] for e in events if "CallbackStartedDetails" in e
    ]
    return ids[0] if ids and events[-1]["EventType"] == "InvocationCompleted" else None


def all_wait(api: Any, arns: list[str]) -> bool:
    """Tell whether all of them have suspended; those that have are not looked at again."""
    while arns and callback_id(api, arns[-1]):
        arns = arns[:-1]
    return not arns


def finish(api: Any, arns: list[str]) -> None:
    """Answer the callbacks of these executions, and see them end with the answer."""
    for arn in arns:
        asked = eventually(lambda arn=arn: callback_id(api, arn), what="the callback")
        api.send_durable_execution_callback_success(CallbackId=asked, Result=json.dumps(arn))
    for arn in arns:
        assert json.loads(closed(api, arn)["Result"]) == arn

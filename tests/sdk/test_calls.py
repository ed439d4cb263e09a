"""Calls to the service as data: made one after another, in either colour."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest

from perdure.sdk.calls import make_calls, make_calls_async
from perdure.sdk.client import Progress, ServiceError

Result = TypeVar("Result")
Calls = Generator[tuple[str, tuple[Any, ...]], Progress, Result]


class Client:
    """A service that answers with what it was asked, and refuses one marker."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def read_state(self, arn: str, token: str, marker: str | None) -> Progress:
        """Return the marker as the next one."""
        self.asked.append((arn, token, marker))
        if marker == "bad":
            raise ServiceError("no such page", code="Gone", status=400)
        return Progress(token, [], marker)


class AsyncClient:
    """The same, awaited."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def read_state(self, *arguments: Any) -> Progress:
        """As the client's."""
        await asyncio.sleep(0)
        return self._client.read_state(*arguments)


def make_awaiting(calls: Calls[Any], client: Any) -> Any:
    awaited: Any = AsyncClient(client)
    return asyncio.run(make_calls_async(calls, awaited))


MAKE = pytest.mark.parametrize("make", [make_calls, make_awaiting], ids=["sync", "async"])


@MAKE
def test_each_answer_leads_to_the_next_call(make: Callable[..., Any]) -> None:
    def calls() -> Calls[list[str | None]]:
        first = yield "read_state", ("arn", "token", "1")
        second = yield "read_state", ("arn", first.token, f"{first.marker}2")
        return [first.marker, second.marker]

    client = Client()

    assert make(calls(), client) == ["1", "12"]
    assert client.asked == [("arn", "token", "1"), ("arn", "token", "12")]


@MAKE
def test_whoever_asked_may_handle_a_refusal(make: Callable[..., Any]) -> None:
    def calls() -> Calls[str | None]:
        try:
            yield "read_state", ("arn", "token", "bad")
        except ServiceError:
            answer = yield "read_state", ("arn", "token", "good")
            return answer.marker
        return None

    assert make(calls(), Client()) == "good"


@MAKE
def test_a_refusal_that_is_not_handled_is_raised(make: Callable[..., Any]) -> None:
    def calls() -> Calls[None]:
        yield "read_state", ("arn", "token", "bad")

    with pytest.raises(ServiceError, match="no such page"):
        make(calls(), Client())


@MAKE
def test_without_a_call_nobody_is_asked(make: Callable[..., Any]) -> None:
    def calls() -> Calls[str]:
        yield from ()
        return "nothing"

    client = Client()

    assert make(calls(), client) == "nothing"
    assert client.asked == []

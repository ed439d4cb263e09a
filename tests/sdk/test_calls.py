"""Calls to the service as data: made one after another, in either colour, or called back."""

import asyncio
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import pytest

from perdure.sdk.calls import make_calls, make_calls_async
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.loop_calls import begin_calls

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


class CallingClient(AsyncClient):
    """The same, which calls back: at once, or in another turn of the loop."""

    def begin(
        self,
        method: str,
        arguments: tuple[Any, ...],
        answered: Callable[[Progress | BaseException], None],
    ) -> None:
        """Answer the first call in another turn, the others at once."""
        try:
            answer: Any = getattr(self._client, method)(*arguments)
        except ServiceError as error:
            answer = error
        if len(self._client.asked) == 1:
            asyncio.get_running_loop().call_soon(answered, answer)
        else:
            answered(answer)


def make_called_back(kind: type[AsyncClient]) -> Callable[..., Any]:
    async def made(calls: Calls[Any], client: Any) -> Any:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        awaited: Any = kind(client)
        begin_calls(calls, awaited, future.set_result)
        outcome = await future
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    def make(calls: Calls[Any], client: Any) -> Any:
        return asyncio.run(made(calls, client))

    return make


MAKE = pytest.mark.parametrize(
    "make",
    [make_calls, make_awaiting, make_called_back(CallingClient), make_called_back(AsyncClient)],
    ids=["sync", "async", "called back", "called back by a task"],
)


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

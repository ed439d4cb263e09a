"""The clients by HTTP, against servers that misbehave: each test tells one what to do.

Every test is of both: the one that blocks, and the one for handlers on an event loop.
"""

import asyncio
import contextlib
import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, Protocol

import pytest

from perdure.protocol.operations import OperationUpdate
from perdure.protocol.words import OperationAction, OperationStatus, OperationType
from perdure.sdk import http, http_loop
from perdure.sdk.client import Progress, ServiceError
from perdure.sdk.http import HttpClient
from perdure.sdk.loop import new_event_loop

ARN = "arn:aws:lambda:eu-west-1:1:function:f:1/durable-execution/a/b"
UPDATE = OperationUpdate(id="1", type=OperationType.STEP, action=OperationAction.START)
STEP = {"Id": "1", "Type": "STEP", "Status": "STARTED", "StartTimestamp": 1.5}
GOOD = json.dumps({"CheckpointToken": "next", "NewExecutionState": {"Operations": [STEP]}}).encode()


def an_answer(
    body: bytes = GOOD, *, status: str = "200 OK", headers: tuple[str, ...] = ()
) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *headers, "", ""]
    return "\r\n".join(lines).encode() + body


def a_refusal(status: str, message: str, *headers: str) -> bytes:
    return an_answer(json.dumps({"message": message}).encode(), status=status, headers=headers)


class Line:
    """One connection, as the server sees it."""

    def __init__(self, connection: socket.socket) -> None:
        self._socket = connection
        self._buffer = b""
        self.heard: list[bytes] = []

    def hear(self) -> bytes:
        """Return the next request, whole; nothing when the client has hung up."""
        while b"\r\n\r\n" not in self._buffer:
            if not self._receive():
                return b""
        head, _, self._buffer = self._buffer.partition(b"\r\n\r\n")
        length = int(head.partition(b"Content-Length: ")[2].partition(b"\r\n")[0])
        while len(self._buffer) < length:
            self._receive()
        body, self._buffer = self._buffer[:length], self._buffer[length:]
        self.heard.append(head + b"\r\n\r\n" + body)
        return self.heard[-1]

    def say(self, data: bytes) -> None:
        """Send bytes as they are."""
        self._socket.sendall(data)

    def answer(self, *answers: bytes) -> None:
        """Answer one request after another."""
        for data in answers:
            self.hear()
            self.say(data)

    def _receive(self) -> bool:
        data = self._socket.recv(65_536)
        self._buffer += data
        return bool(data)


class Client(Protocol):
    """What is tested."""

    def checkpoint(self, *arguments: Any) -> Progress: ...

    def read_state(self, *arguments: Any) -> Progress: ...

    def close(self) -> None: ...


class OnLoop:
    """A client's other half, for event loops, on a loop that runs while it is asked."""

    def __init__(self, client: HttpClient) -> None:
        self._loop = new_event_loop()
        self._whole = client
        self._client = client.for_loop()

    def checkpoint(self, *arguments: Any) -> Progress:
        return self._loop.run_until_complete(self._client.checkpoint(*arguments))

    def read_state(self, *arguments: Any) -> Progress:
        return self._loop.run_until_complete(self._client.read_state(*arguments))

    def close(self) -> None:
        self._whole.close()
        for _ in range(3):  # until the transports have gone
            self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()


class Server:
    """Listens on loopback; what each connection does is told by a function of its own."""

    def __init__(self, kind: Callable[[HttpClient], Client]) -> None:
        self._kind = kind
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._listener.settimeout(10)
        self.port = self._listener.getsockname()[1]
        self.lines: list[Line] = []
        self.closed = [threading.Event() for _ in range(10)]
        self._clients: list[Client] = []

    def serve(self, *behaviours: Callable[[Line], None]) -> Client:
        """Serve so many connections, one after another; return a client for them."""
        threading.Thread(target=self._run, args=(behaviours,), daemon=True).start()
        return self.client()

    def client(self) -> Client:
        """Return a client."""
        client = self._kind(HttpClient(f"http://127.0.0.1:{self.port}"))
        self._clients.append(client)
        return client

    def _run(self, behaviours: tuple[Callable[[Line], None], ...]) -> None:
        for number, behave in enumerate(behaviours):
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(10)
                line = Line(connection)
                self.lines.append(line)
                behave(line)
            self.closed[number].set()

    def close(self) -> None:
        """Listen no more; have the clients hang up."""
        self._listener.close()
        clients, self._clients = self._clients, []
        for client in clients:
            client.close()

    @property
    def requests(self) -> list[int]:
        """How many requests each connection has heard."""
        return [len(line.heard) for line in self.lines]


@pytest.fixture(params=[lambda client: client, OnLoop], ids=["blocking", "on a loop"])
def server(request: pytest.FixtureRequest) -> Iterator[Server]:
    """Return a server that listens, and serves nobody yet."""
    with contextlib.closing(Server(request.param)) as server:
        yield server


def ask(client: Client) -> Progress:
    return client.checkpoint(ARN, "token", [UPDATE], "client-token")


def check_good(progress: Progress) -> None:
    assert (progress.token, progress.marker) == ("next", None)
    (one,) = progress.operations
    assert (one.id, one.status, one.start_timestamp) == ("1", OperationStatus.STARTED, 1_500)


def test_a_checkpoint_is_a_post_with_everything_in_it(server: Server) -> None:
    client = server.serve(lambda line: line.answer(an_answer()))

    check_good(ask(client))

    head, _, body = server.lines[0].heard[0].partition(b"\r\n\r\n")
    path = ARN.replace(":", "%3A").replace("/", "%2F")
    start = f"POST /2025-12-01/durable-executions/{path}/checkpoint HTTP/1.1\r\n"
    assert head.startswith(start.encode())
    assert f"Host: 127.0.0.1:{server.port}".encode() in head
    assert json.loads(body) == {
        "CheckpointToken": "token",
        "Updates": [{"Id": "1", "Type": "STEP", "Action": "START"}],
        "ClientToken": "client-token",
    }


def test_a_page_of_the_state_is_a_get(server: Server) -> None:
    body = json.dumps({"Operations": [STEP], "NextMarker": "m 2"}).encode()
    client = server.serve(lambda line: line.answer(an_answer(body), an_answer(body)))

    first = client.read_state(ARN, "t", None)
    client.read_state(ARN, "t", first.marker)

    lines = [heard.partition(b"\r\n")[0].decode() for heard in server.lines[0].heard]
    assert (first.token, first.marker, len(first.operations)) == (None, "m 2", 1)
    assert lines[0].endswith("/state?CheckpointToken=t&MaxItems=1000 HTTP/1.1")
    assert lines[1].endswith("/state?CheckpointToken=t&MaxItems=1000&Marker=m+2 HTTP/1.1")


def test_a_connection_is_used_again(server: Server) -> None:
    client = server.serve(lambda line: line.answer(an_answer(), an_answer(), an_answer()))

    for _ in range(3):
        check_good(ask(client))

    assert server.requests == [3]


def test_a_connection_that_is_closed_while_idle_is_replaced(server: Server) -> None:
    client = server.serve(*[lambda line: line.answer(an_answer())] * 2)
    check_good(ask(client))
    assert server.closed[0].wait(10)

    check_good(ask(client))

    assert server.requests == [1, 1]


def test_a_connection_that_is_to_be_closed_is_not_used_again(server: Server) -> None:
    last = an_answer(headers=("Connection: Close",))
    client = server.serve(*[lambda line: line.answer(last)] * 2)

    check_good(ask(client))
    check_good(ask(client))

    assert server.requests == [1, 1]


def chunked(*pieces: bytes) -> bytes:
    chunks = b"".join(b"%x;ext=1\r\n%s\r\n" % (len(piece), piece) for piece in pieces)
    return b"HTTP/1.1 200 OK\r\nTransfer-Encoding: Chunked\r\n\r\n" + chunks + b"0\r\n\r\n"


def test_an_answer_in_chunks_is_put_together(server: Server) -> None:
    answer = chunked(GOOD[:7], GOOD[7:50], GOOD[50:])
    client = server.serve(lambda line: line.answer(answer, answer))

    check_good(ask(client))
    check_good(ask(client))

    assert server.requests == [2]


@pytest.mark.parametrize("answer", [an_answer(), chunked(GOOD[:9], GOOD[9:])])
def test_an_answer_may_come_byte_by_byte(server: Server, answer: bytes) -> None:
    def dribble(line: Line) -> None:
        line.hear()
        for i in range(len(answer)):
            line.say(answer[i : i + 1])

    check_good(ask(server.serve(dribble)))


@pytest.mark.parametrize(
    "status", ["500 Internal Server Error", "503 Unavailable", "429 Too Many Requests"]
)
def test_what_may_pass_is_tried_again(server: Server, status: str) -> None:
    refusal = a_refusal(status, "not now")
    client = server.serve(lambda line: line.answer(refusal, an_answer()))

    check_good(ask(client))

    first, second = server.lines[0].heard
    assert first == second


def test_what_does_not_pass_is_raised_in_the_end(server: Server) -> None:
    refusal = a_refusal("500 Internal Server Error", "never")
    client = server.serve(lambda line: line.answer(*[refusal] * 5))

    with pytest.raises(ServiceError, match="never") as caught:
        ask(client)

    assert caught.value.response["ResponseMetadata"] == {"HTTPStatusCode": 500}
    assert server.requests == [5]


def test_a_refusal_is_raised_at_once_with_the_services_words(server: Server) -> None:
    refusal = a_refusal(
        "400 Bad Request", "no such token", "X-Amzn-ErrorType: InvalidParameterValueException:x"
    )
    client = server.serve(lambda line: line.answer(refusal))

    with pytest.raises(ServiceError) as caught:
        ask(client)

    assert caught.value.response == {
        "Error": {"Code": "InvalidParameterValueException", "Message": "no such token"},
        "ResponseMetadata": {"HTTPStatusCode": 400},
    }
    assert server.requests == [1]


@pytest.mark.parametrize(
    ("body", "message"),
    [
        pytest.param(b'{"Message": "big M"}', "big M", id="a capital letter"),
        pytest.param(b"<html>no</html>", "<html>no</html>", id="no JSON"),
        pytest.param(b"[1]", "[1]", id="no object"),
        pytest.param(b"\xff!", "\ufffd!", id="no text"),
    ],
)
def test_a_refusal_in_other_words_is_told_as_it_is(
    server: Server, body: bytes, message: str
) -> None:
    client = server.serve(lambda line: line.answer(an_answer(body, status="403 Forbidden")))

    with pytest.raises(ServiceError) as caught:
        ask(client)

    assert caught.value.response == {
        "Error": {"Code": None, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": 403},
    }


def hang_up(line: Line) -> None:
    """Hear a request, and leave."""
    line.hear()


def hang_up_in_the_body(line: Line) -> None:
    """Leave in the middle of the answer."""
    line.answer(an_answer()[:-5])


def hang_up_in_a_chunk(line: Line) -> None:
    """Leave before the last chunk."""
    line.answer(chunked(GOOD)[:-8])


def hang_up_in_the_head(line: Line) -> None:
    """Leave before the headers end."""
    line.answer(an_answer()[:20])


def speak_another_language(line: Line) -> None:
    """Answer with something else than HTTP."""
    line.answer(b"EHLO\r\n\r\n")


def have_no_number(line: Line) -> None:
    """Answer with a status that is none."""
    line.answer(b"HTTP/1.1 fine\r\n\r\n")


def have_no_length(line: Line) -> None:
    """Answer with a length that is none."""
    line.answer(b"HTTP/1.1 200 OK\r\nContent-Length: some\r\n\r\n")


def have_a_chunk_of_no_length(line: Line) -> None:
    """Answer with a chunk whose length is none."""
    line.answer(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\n\r\n")


def answer_no_json(line: Line) -> None:
    """Answer with a page for people."""
    line.answer(an_answer(b"<html>"))


def answer_no_object(line: Line) -> None:
    """Answer with JSON of another kind."""
    line.answer(an_answer(b"[]"))


@pytest.mark.parametrize(
    "misbehave",
    [
        hang_up,
        hang_up_in_the_head,
        hang_up_in_the_body,
        hang_up_in_a_chunk,
        speak_another_language,
        have_no_number,
        have_no_length,
        have_a_chunk_of_no_length,
    ],
)
def test_a_broken_answer_is_asked_for_again(
    server: Server, misbehave: Callable[[Line], None]
) -> None:
    client = server.serve(misbehave, lambda line: line.answer(an_answer()))

    check_good(ask(client))

    first, second = server.lines
    assert first.heard == second.heard


@pytest.mark.parametrize("misbehave", [answer_no_json, answer_no_object])
def test_an_answer_that_is_no_object_is_asked_for_again(
    server: Server, misbehave: Callable[[Line], None]
) -> None:
    def serve(line: Line) -> None:
        misbehave(line)
        line.answer(an_answer())

    check_good(ask(server.serve(serve)))


def test_a_head_without_an_end_is_not_read_for_ever(server: Server) -> None:
    endless = b"HTTP/1.1 200 OK\r\nX-Long: " + b"x" * 70_000
    client = server.serve(lambda line: line.answer(endless), lambda line: line.answer(an_answer()))

    check_good(ask(client))

    assert server.requests == [1, 1]


def test_a_chunk_whose_length_has_no_end_is_not_read_for_ever(server: Server) -> None:
    endless = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * 70_000
    client = server.serve(lambda line: line.answer(endless), lambda line: line.answer(an_answer()))

    check_good(ask(client))

    assert server.requests == [1, 1]


def test_a_service_that_only_hangs_up_cannot_be_reached(server: Server) -> None:
    client = server.serve(*[hang_up] * 5)

    with pytest.raises(ServiceError, match="hung up") as caught:
        ask(client)

    assert caught.value.response["ResponseMetadata"] == {"HTTPStatusCode": None}
    assert server.requests == [1] * 5


def test_where_nobody_listens_the_service_cannot_be_reached(server: Server) -> None:
    server.close()
    client = server.client()

    with pytest.raises(ServiceError, match="cannot be reached") as caught:
        ask(client)

    assert caught.value.response["ResponseMetadata"] == {"HTTPStatusCode": None}


def test_an_answer_that_does_not_come_is_given_up(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.1)
    monkeypatch.setattr(http_loop, "ANSWER_SECONDS", 0.1)

    def stay_silent(line: Line) -> None:
        line.hear()
        assert line.hear() == b"", "the client hangs up"

    client = server.serve(stay_silent, lambda line: line.answer(an_answer()))

    check_good(ask(client))

    assert server.requests == [1, 1]


def test_a_connection_may_be_silent_for_long_between_two_calls(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http, "ANSWER_SECONDS", 0.2)
    monkeypatch.setattr(http_loop, "ANSWER_SECONDS", 0.2)
    rest = threading.Event()

    def pause_before_answering(line: Line) -> None:
        for _ in range(3):
            line.hear()
            rest.wait(0.12)
            line.say(an_answer())

    client = server.serve(pause_before_answering)

    for _ in range(3):
        check_good(ask(client))

    assert server.requests == [3]


def test_an_operation_that_cannot_be_read_is_the_services_error(server: Server) -> None:
    body = json.dumps({"NewExecutionState": {"Operations": [{**STEP, "Type": 3}]}}).encode()
    client = server.serve(lambda line: line.answer(an_answer(body)))

    with pytest.raises(ServiceError, match="cannot be read"):
        ask(client)


@pytest.mark.parametrize("url", ["ftp://host", "host:80", "http://"])
def test_a_url_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="it has to be http:// or https://"):
        HttpClient(url)

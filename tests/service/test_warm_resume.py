"""Handlers that their workers keep: told of changes alone if they are still there, of everything if
not; and nobody can tell the difference from outside (K1, K2, K3).
"""

import json
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.service.deployment import closed, deploy, history, start
from tests.serving import ServerProcess, client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

CALLBACKS = ("first", "second", "third")


class Play:
    """One execution of a function that keeps itself."""

    def __init__(self, api: Any, function: str, folder: Path, name: str, **script: Any) -> None:
        """Start it."""
        self.api = api
        self.folder = folder
        self.name = name
        callbacks = [f"{name}-{callback}" for callback in CALLBACKS]
        event = {"folder": str(folder), "name": name, "callbacks": callbacks} | script
        self.arn = start(api, function, event)

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What its invocations were given."""
        file = self.folder / f"{self.name}.notes"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def suspended(self, times: int) -> None:
        """Return once so many invocations have ended."""

        def look() -> bool:
            events = history(self.api, self.arn)
            return sum(one["EventType"] == "InvocationCompleted" for one in events) == times

        eventually(look, what=f"invocation {times} of {self.name}")

    def call_back(self, callback: str) -> None:
        """Answer a callback, with its own name."""
        file = self.folder / f"{self.name}-{callback}.id"
        eventually(file.exists, what=f"the callback {callback}")
        self.api.send_durable_execution_callback_success(
            CallbackId=file.read_text(), Result=callback.encode()
        )

    def go_through(self) -> Any:
        """Answer all callbacks, each when the handler is suspended; return the result."""
        for number, callback in enumerate(CALLBACKS, 1):
            self.suspended(number)
            self.call_back(callback)
        return self.result()

    def result(self) -> Any:
        """Return what it came to."""
        execution = closed(self.api, self.arn)
        assert execution["Status"] == "SUCCEEDED", execution
        return json.loads(execution["Result"])

    def told(self, callback: str) -> dict[str, Any]:
        """Return what an invocation is told that is told of this callback's end alone."""
        return {f"{self.name}-{callback}": "SUCCEEDED"}


@pytest.fixture(scope="module")
def keeping(shared_server: ServerProcess) -> Any:
    """A client of a server that lets handlers be kept, with a function that keeps itself."""
    api = client("lambda", shared_server.url)
    deploy(api, "kept", "kept")
    return api


def test_a_kept_handler_is_told_of_nothing_but_the_changes(keeping: Any, tmp_path: Path) -> None:
    """K1."""
    play = Play(keeping, "kept", tmp_path, "play")
    assert play.go_through() == [*CALLBACKS]
    assert [note["is_short"] for note in play.notes] == [False, True, True, True]
    assert [note["told"] for note in play.notes] == [{}, *map(play.told, CALLBACKS)]
    assert len({note["pid"] for note in play.notes}) == 1


def test_another_worker_replays_what_a_dead_one_kept(keeping: Any, tmp_path: Path) -> None:
    """K2."""
    play = Play(keeping, "kept", tmp_path, "play")
    play.suspended(1)
    psutil.Process(play.notes[0]["pid"]).kill()
    play.call_back("first")
    play.suspended(2)
    play.call_back("second")
    play.suspended(3)
    play.call_back("third")
    assert play.result() == [*CALLBACKS]
    assert [note["is_short"] for note in play.notes] == [False, False, True, True]
    assert play.notes[1]["told"] == {"play-first-step": "SUCCEEDED", "play-first": "SUCCEEDED"}
    assert play.notes[0]["pid"] != play.notes[1]["pid"]


def test_a_worker_that_is_busy_is_not_waited_for(keeping: Any, tmp_path: Path) -> None:
    """K2: its handler is worth nothing afterwards, for another has gone on."""
    deploy(keeping, "kept-busy", "kept")
    play = Play(keeping, "kept-busy", tmp_path, "play")
    play.suspended(1)
    other = Play(keeping, "kept-busy", tmp_path, "other", gate="g")
    eventually((tmp_path / "g.entered").exists, what="the gate")
    assert play.notes[0]["pid"] == other.notes[0]["pid"]
    play.call_back("first")
    play.suspended(2)
    (tmp_path / "g").touch()
    other.suspended(1)
    play.call_back("second")
    play.suspended(3)
    play.call_back("third")
    assert play.result() == [*CALLBACKS]
    assert [note["is_short"] for note in play.notes] == [False, False, True, True]
    assert play.notes[1]["pid"] == play.notes[2]["pid"] != play.notes[0]["pid"]


def test_kept_handlers_do_not_outlive_their_server(tmp_path: Path) -> None:
    """K2."""
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "kept", "kept")
        play = Play(api, "kept", tmp_path, "play")
        play.suspended(1)
        server.kill()
        server.start()
        assert play.go_through() == [*CALLBACKS]
        assert [note["is_short"] for note in play.notes] == [False, False, True, True]


def test_history_is_the_same_with_keeping_and_without(keeping: Any, tmp_path: Path) -> None:
    """K3: whatever a worker says it keeps."""
    with serving(tmp_path / "data", "--keep-handlers", "0") as server:
        api = client("lambda", server.url)
        deploy(api, "kept", "kept")
        plays = [
            Play(api, "kept", tmp_path, "cold"),
            Play(keeping, "kept", tmp_path, "warm"),
        ]
        results = [play.go_through() for play in plays]
        stories = [story_of(play) for play in plays]
    assert [[note["is_short"] for note in play.notes] for play in plays] == [
        [False, False, False, False],
        [False, True, True, True],
    ]
    assert results[0] == results[1]
    assert stories[0] == stories[1]


def story_of(play: Play) -> list[Any]:
    """Return an execution's history, but for names, ids and instants."""
    own = [*play.arn.split("/")[-2:], f"{play.name}-", f'"{play.name}"']

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {
                key: plain(each)
                for key, each in value.items()
                if not key.endswith(("Timestamp", "RequestId", "CallbackId"))
            }
        if isinstance(value, str):
            for name in own:
                value = value.replace(name, "")
        return value

    return [plain(event) for event in history(play.api, play.arn)]

"""Clients that do not give up: what they were promised is what a server must still know."""

import json
import select
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TypeVar

from botocore.exceptions import BotoCoreError, ClientError

from tests.chaos.programs import PROGRAM, Program, answer_to

__all__ = ["Answerer", "Ledger", "Lines", "pause"]

T = TypeVar("T")

_AGAIN_SECONDS: Final = 0.2


def pause(seconds: float) -> None:
    """Let time pass."""
    select.select([], [], [], seconds)


class Lines:
    """The lines of a file that others append to; each is returned once."""

    def __init__(self, path: Path) -> None:
        """Begin at the start, whether or not it is there yet."""
        self._path = path
        self._offset = 0
        path.touch()

    @property
    def size(self) -> int:
        """How many bytes there are by now."""
        return self._path.stat().st_size

    def new(self) -> list[tuple[int, Any]]:
        """Return what has come, each line with the offset it ends at."""
        found: list[tuple[int, Any]] = []
        with self._path.open("rb") as file:
            file.seek(self._offset)
            for line in file:
                if not line.endswith(b"\n"):
                    break
                self._offset += len(line)
                found.append((self._offset, json.loads(line)))
        return found


@dataclass(slots=True)
class Ledger:
    """What servers have acknowledged. Written by many threads, each fact by one of them."""

    programs: dict[str, Program] = field(default_factory=dict[str, Program])
    starts: dict[str, str] = field(default_factory=dict[str, str])  #: a program's name, its ARN
    #: a callback's operation in a program, and its answer
    answers: dict[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str])
    #: a step that history says has succeeded, and the size of the effects' file by then
    successes: dict[tuple[str, str], int] = field(default_factory=dict[tuple[str, str], int])
    is_over: threading.Event = field(default_factory=threading.Event)  #: nobody asks any more

    def insist(self, call: Callable[..., T], **arguments: Any) -> T:
        """Return what ``call`` answers, however often the server has to be asked.

        A refusal is raised: only what says nothing of the request is a reason to ask again.
        """
        while not self.is_over.is_set():
            try:
                return call(**arguments)
            except BotoCoreError:
                pass  # nobody is there, or nobody any more
            except ClientError as error:
                status = error.response["ResponseMetadata"]["HTTPStatusCode"]
                if status < 500 and status != 429:
                    raise
            self.is_over.wait(_AGAIN_SECONDS)
        raise AssertionError(f"{call} was never answered")

    def start(self, api: Any, program: Program) -> str:
        """Start a program; note its ARN."""
        self.programs[program.name] = program
        answer = self.insist(
            api.invoke,
            FunctionName=PROGRAM,
            Qualifier="$LATEST",
            InvocationType="Event",
            DurableExecutionName=program.name,
            Payload=json.dumps(program.event),
        )
        arn = answer["DurableExecutionArn"]
        assert self.starts.setdefault(program.name, arn) == arn, f"{program.name} has two ARNs"
        return arn

    def call(self, api: Any, program: Program) -> Any:
        """Start a program as a synchronous caller, who attaches again when the server went away."""
        answer = self.insist(
            api.invoke,
            FunctionName=PROGRAM,
            Qualifier="$LATEST",
            DurableExecutionName=program.name,
            Payload=json.dumps(program.event),
        )
        return json.loads(answer["Payload"].read())


class Answerer(threading.Thread):
    """Answers every callback that a program tells of, until told to stop."""

    def __init__(
        self,
        api: Any,
        told: Lines,
        ledger: Ledger,
        *,
        callers: int = 1,
        may_answer: Callable[[str, str], bool] = lambda program, callback: True,
    ) -> None:
        """Note in ``ledger`` what was acknowledged; answer so many at once, and each once
        ``may_answer`` says so of its program's and its own name.
        """
        super().__init__(name="answerer", daemon=True)
        self._may_answer = may_answer
        self._waiting: list[tuple[str, dict[str, Any], str]] = []
        self._callers = ThreadPoolExecutor(callers, thread_name_prefix="answer")
        self._answers: list[Future[None]] = []
        self._api = api
        self._told = told
        self._ledger = ledger
        self._is_over = threading.Event()
        self._answered: set[str] = set()
        self.problem: BaseException | None = None

    @property
    def held(self) -> int:
        """How many callbacks may not be answered yet."""
        return len(self._waiting)

    def stop(self) -> None:
        """End."""
        self._is_over.set()
        self.join()
        self._callers.shutdown()
        self.look()

    def look(self) -> BaseException | None:
        """Return what has gone wrong by now, if anything has."""
        for answer in self._answers:
            if answer.done():
                self.problem = self.problem or answer.exception()
        return self.problem

    def run(self) -> None:
        """Answer."""
        try:
            while not self._is_over.wait(0.05):
                for _, (program, callback, callback_id) in self._told.new():
                    if callback_id not in self._answered:
                        self._answered.add(callback_id)
                        self._waiting.append((program, callback, callback_id))
                held: list[tuple[str, dict[str, Any], str]] = []
                for program, callback, callback_id in self._waiting:
                    if self._may_answer(program, callback["name"]):
                        answer = (self._answer, program, callback, callback_id)
                        self._answers.append(self._callers.submit(*answer))
                    else:
                        held.append((program, callback, callback_id))
                self._waiting = held
        except BaseException as problem:  # noqa: BLE001 - a thread's edge: the test looks at it
            self.problem = problem

    def _answer(self, program: str, callback: dict[str, Any], callback_id: str) -> None:
        text = answer_to(callback)
        if callback["is_refused"]:
            self._ledger.insist(
                self._api.send_durable_execution_callback_failure,
                CallbackId=callback_id,
                Error={"ErrorType": "Refused", "ErrorMessage": text},
            )
        else:
            self._ledger.insist(
                self._api.send_durable_execution_callback_success,
                CallbackId=callback_id,
                Result=text,
            )
        self._ledger.answers[program, callback["name"]] = text

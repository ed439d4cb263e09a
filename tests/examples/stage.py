"""Where examples are played: their files loaded, on the real state machine, by a clock that jumps.

What is outside of a function is told beforehand: how callbacks are answered, by name, and which
functions it may invoke.
"""

import importlib.util
import json
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from perdure.core.commands import AnswerCallback
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.client import ServiceError
from perdure.sdk.parking import Parking
from tests.core.builders import Story, a_start
from tests.sdk.service import Crash, Ended, Service

__all__ = ["AWS", "EXAMPLES", "SILENT", "CrashAt", "Stage", "event_of", "load", "play", "refusal"]

EXAMPLES: Final = Path(__file__).parents[2] / "examples"

AWS: Final = "aws_durable_execution_sdk_python"  #: the package of AWS's SDK

#: The answer that never comes.
SILENT: Final = object()

Callbacks = Mapping[str, Any]
_YEAR_SECONDS: Final = 31_622_400  #: the longest that an execution may take
_CREATION: Final = " create callback id"  #: what ``wait_for_callback`` adds to its callback's name


def load(name: str, file: str | None = None, *, package: str = "perdure") -> ModuleType:
    """Return the module of an example, as written for ``package``: its import lines are changed."""
    path = EXAMPLES / name / f"{file or name}.py"
    code = path.read_text(encoding="utf-8")
    module_name = f"{path.stem}_for_{package}"
    spec = importlib.util.spec_from_loader(module_name, loader=None, origin=str(path))
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[module_name] = module  # where classes are found when they are read
    exec(compile(for_package(code, package), str(path), "exec"), module.__dict__)
    return module


def for_package(code: str, package: str) -> str:
    """Return code with ``perdure`` replaced in its import lines, and nowhere else."""
    return "".join(
        line.replace("perdure", package, 1)
        if line.startswith(("from perdure", "import "))
        else line
        for line in code.splitlines(keepends=True)
    )


def event_of(name: str) -> Any:
    """Return the event that comes with an example."""
    return json.loads((EXAMPLES / name / "event.json").read_text(encoding="utf-8"))


def refusal(message: str) -> ErrorObject:
    """Return what answers a callback with a failure."""
    return ErrorObject(error_type="Refused", error_message=message)


@dataclass
class CrashAt:
    """Kills the process once: before the checkpoint of a number is stored, or after."""

    number: int
    is_after: bool
    has_struck: bool = False

    def __call__(self, number: int) -> None:
        if number == self.number and not self.has_struck:
            self.has_struck = True
            raise Crash


@dataclass
class Stage(Service):
    """A service whose callbacks are answered by name.

    The value for a name is the answer (what is no text goes as JSON), an ``ErrorObject``,
    ``SILENT``, or a list of such for callbacks of the same name, in their order.
    """

    callbacks: Callbacks = field(default_factory=dict[str, Any])

    def __post_init__(self) -> None:
        super().__post_init__()
        start = a_start(payload=json.dumps(self.event), execution_timeout_seconds=_YEAR_SECONDS)
        self.story = Story(start, is_begun=False)
        self.answer = None
        self._answered: set[str] = set()
        self._left = {
            name: list(answers) if isinstance(answers, list) else answers
            for name, answers in self.callbacks.items()
        }

    def _die_at(self, point: Callable[[int], None] | None, number: int) -> None:
        try:
            super()._die_at(point, number)
        except Crash:
            # Whatever is done from here on is not recorded any more, as if it were not done.
            raise ServiceError("the process is gone", code="Gone", status=503) from None

    def _answer_callbacks(self) -> None:
        for operation in list(self.story.execution.operations.values()):
            is_open = operation.status is OperationStatus.STARTED
            if operation.type is not OperationType.CALLBACK or not is_open:
                continue
            if operation.id not in self._answered:
                self._answered.add(operation.id)
                self._answer_one(operation.id, (operation.name or "").removesuffix(_CREATION))

    def _answer_one(self, operation_id: str, name: str) -> None:
        assert name in self._left, f"nothing is said of the callback {name!r}"
        answers = self._left[name]
        answer = answers.pop(0) if isinstance(answers, list) else answers
        match answer:
            case ErrorObject():
                self.story.tell(AnswerCallback(operation_id=operation_id, error=answer))
            case str():
                self.story.tell(AnswerCallback(operation_id=operation_id, payload=answer))
            case _ if answer is not SILENT:
                text = json.dumps(answer)
                self.story.tell(AnswerCallback(operation_id=operation_id, payload=text))


def play(
    function: Any,
    event: Any = None,
    *,
    callbacks: Callbacks | None = None,
    functions: Mapping[str, Any] | None = None,
    keep: Parking | None = None,
    crash: CrashAt | None = None,
) -> Ended:
    """Run an execution of ``function`` to its end.

    ``functions`` are those it may invoke: durable ones, and plain ones of one argument.
    """
    stage = Stage(
        function,
        event,
        targets={name: _target(target) for name, target in (functions or {}).items()},
        keep=keep,
        callbacks=callbacks or {},
    )
    if crash is not None and crash.is_after:
        stage.after_checkpoint = crash
    else:
        stage.before_checkpoint = crash
    return stage.run()


def _target(function: Any) -> Callable[[Any], Any]:
    if not hasattr(function, "invoke"):
        return function

    def run(event: Any) -> Any:
        ended = play(function, event)
        if ended.error is not None:
            raise RuntimeError(ended.error.error_message)
        return ended.result

    return run

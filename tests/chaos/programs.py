"""Programs for the kill test, drawn from a seed, and what each must come to."""

import json
import re
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from tests.simulation.dice import Dice

__all__ = [
    "DOUBLING",
    "GATE",
    "PROGRAM",
    "Program",
    "Shape",
    "answer_to",
    "draw_program",
    "own_seconds",
    "runs_in",
    "steps_of",
    "without_runs",
]

PROGRAM: Final = "program"
DOUBLING: Final = "doubling"
GATE: Final = "gate-"  #: how the names of the callbacks between a program's parts begin
#: More interruptions than the test has kills: a step that may succeed does.
ATTEMPTS_MAX: Final = 100
_RETRY_SECONDS: Final = 1  #: between two attempts of a step
#: What a step's result says of the run that made it.
_RUN: Final = re.compile(r" in run ([0-9a-f]{16})")

Operation = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """An execution to start, and its end."""

    name: str
    event: dict[str, Any]
    status: str
    result: Any  #: or the error's message


@dataclass(frozen=True, slots=True, kw_only=True)
class Shape:
    """What programs are like."""

    #: so many, at least and at most; those within others, and of the last part, do not count
    operations: tuple[int, int] = (4, 7)
    wait_seconds_max: int = 2
    gates: int = 0  #: callbacks that divide it into so many parts, and a last one
    last_seconds_max: int = 0  #: how long the last part takes of itself, at most


def draw_program(dice: Dice, name: str, folder: str, shape: Shape = Shape()) -> Program:
    """Return a program named ``name`` whose functions write into ``folder``."""
    drawing = _Drawing(dice, name, folder, shape.wait_seconds_max)
    drawn = drawing.operations(dice.integer(*shape.operations), depth=0)
    if shape.gates:
        ends = [len(drawn) * number // shape.gates for number in range(shape.gates + 1)]
        parts = [drawn[begin:end] for begin, end in pairwise(ends)]
        drawn = [one for n, part in enumerate(parts, 1) for one in (*part, gate(n))]
        drawn += drawing.last_part(shape.last_seconds_max)
    return _program(dice, name, folder, drawn)


def gate(number: int) -> Operation:
    """Return the callback after a program's part of this number."""
    return {"kind": "callback", "name": f"{GATE}{number}", "is_refused": False}


def _program(dice: Dice, name: str, folder: str, operations: list[Operation]) -> Program:
    result: Any = expected(operations)
    if dice.chance(0.1):
        result = f"{name} ends so"
        operations.append({"kind": "throw", "name": "throw", "message": result})
    status = "FAILED" if operations[-1]["kind"] == "throw" else "SUCCEEDED"
    event = {"name": name, "folder": folder, "operations": operations}
    return Program(name=name, event=event, status=status, result=result)


class _Drawing:
    """Draws the operations of one execution; each has a name of its own."""

    def __init__(self, dice: Dice, program: str, folder: str, wait_seconds_max: int) -> None:
        self._dice = dice
        self._program = program
        self._folder = folder
        self._wait_seconds_max = wait_seconds_max
        self._count = 0

    def operations(self, count: int, *, depth: int) -> list[Operation]:
        kinds = ["step", "once", "retried", "broken", "wait", "callback", "double"]
        if depth == 0:
            kinds += ["child", "parallel"]
        return [self._operation(self._dice.pick(kinds), depth) for _ in range(count)]

    def last_part(self, seconds_max: int) -> list[Operation]:
        part: list[Operation] = []
        for one in self.operations(self._dice.integer(2, 4), depth=0):
            if own_seconds([*part, one]) <= seconds_max:
                part.append(one)
        return part

    def _operation(self, kind: str, depth: int) -> Operation:
        dice = self._dice
        self._count += 1
        name = f"{kind}-{self._count}"
        match kind:
            case "wait":
                return {
                    "kind": "wait",
                    "name": name,
                    "seconds": dice.integer(1, self._wait_seconds_max),
                }
            case "callback":
                return {"kind": "callback", "name": name, "is_refused": dice.chance(0.25)}
            case "double":
                event: Any = {"number": dice.below(1000)}
                return {"kind": "invoke", "name": name, "function": DOUBLING, "event": event}
            case "child":
                event = {
                    "name": f"{self._program}.{name}",
                    "folder": self._folder,
                    "operations": self.operations(dice.integer(1, 3), depth=depth + 1),
                }
                function = f"{PROGRAM}:$LATEST"
                return {"kind": "invoke", "name": name, "function": function, "event": event}
            case "parallel":
                branches = [
                    self.operations(dice.integer(1, 2), depth=depth + 1)
                    for _ in range(dice.integer(2, 3))
                ]
                return {"kind": "parallel", "name": name, "branches": branches}
            case _:
                return {
                    "kind": "step",
                    "name": name,
                    "is_once": kind == "once" or dice.chance(0.3),
                    "failures": {"retried": 1, "broken": ATTEMPTS_MAX}.get(kind, 0),
                    "attempts_max": 2 if kind == "broken" else ATTEMPTS_MAX,
                }


def own_seconds(operations: list[Operation]) -> int:
    """Return how long operations take by themselves, however quick everybody else is."""
    return sum(_own_seconds(one) for one in operations)


def _own_seconds(one: Operation) -> int:
    match one["kind"]:
        case "wait":
            return one["seconds"]
        case "step":
            return min(one["failures"], one["attempts_max"] - 1) * _RETRY_SECONDS
        case "invoke" if "operations" in one["event"]:
            return own_seconds(one["event"]["operations"])
        case "parallel":
            return max(own_seconds(branch) for branch in one["branches"])
        case _:
            return 0


def without_runs(result: Any) -> Any:
    """Return what a program came to, without what its steps say of their runs."""
    return json.loads(_RUN.sub("", json.dumps(result)))


def runs_in(result: Any) -> set[str]:
    """Return the runs of steps that made a result."""
    return set(_RUN.findall(json.dumps(result)))


def answer_to(callback: Operation) -> str:
    """Return what the test answers a callback with: a result, or an error's message."""
    return f"{callback['name']} is {'refused' if callback['is_refused'] else 'granted'}"


def expected(operations: list[Operation]) -> list[Any]:
    """Return what operations come to."""
    return [_expected(one) for one in operations]


def _expected(one: Operation) -> Any:
    match one["kind"]:
        case "step":
            return f"{one['name']} is {'broken' if one['failures'] == ATTEMPTS_MAX else 'done'}"
        case "callback":
            return ("refused: " if one["is_refused"] else "") + answer_to(one)
        case "invoke" if "number" in one["event"]:
            return one["event"]["number"] * 2
        case "invoke":
            return expected(one["event"]["operations"])
        case "parallel":
            return [expected(branch) for branch in one["branches"]]
        case _:
            return None


def steps_of(program: str, operations: list[Operation]) -> dict[tuple[str, str], Operation]:
    """Return the steps by execution and name, those of children and branches included."""
    steps: dict[tuple[str, str], Operation] = {}
    for one in operations:
        match one["kind"]:
            case "step":
                steps[program, one["name"]] = one
            case "invoke" if "operations" in one["event"]:
                steps |= steps_of(one["event"]["name"], one["event"]["operations"])
            case "parallel":
                for branch in one["branches"]:
                    steps |= steps_of(program, branch)
    return steps

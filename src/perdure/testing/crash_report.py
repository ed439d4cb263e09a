"""What crash-everywhere has found: how every run ended, and what is not as undisturbed."""

from __future__ import annotations

import difflib
from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from perdure.testing.controls import result_of
from perdure.testing.tree import shortened

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from perdure.protocol.words import ExecutionStatus
    from perdure.testing.operations import Operation
    from perdure.testing.trials import Effect, Keep, Kill, Point, StepRun, Trial

__all__ = ["CrashReport", "CrashRun", "Ending", "Outcome"]

_SHOWN_MAX: Final = 5
_LINE: Final = 160
_KEEPING: Final[dict[str, str]] = {
    "off": "handlers replayed",
    "on": "handlers kept",
    "random": "handlers kept at random",
}


class Ending(NamedTuple):
    """How one execution ended."""

    name: str
    status: ExecutionStatus
    result: str | None
    error: str | None
    shape: tuple[str, ...]  #: its operations: where each is, what, and its status

    def __str__(self) -> str:
        said = self.error or self.result or ""
        return shortened(f"{self.status} {said}".rstrip(), _LINE)


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one run of the test."""

    endings: Mapping[str, Ending]  #: by ARN
    step_runs: Mapping[StepRun, int]
    effects: Mapping[Effect, int]
    failure: str  #: why the test itself did not pass; empty: it did

    @classmethod
    def of(cls, trial: Trial, failure: str) -> Outcome:
        """Return what came of a trial."""
        endings: dict[str, Ending] = {}
        for service in trial.services:
            with service.lock:
                for held in service.executions.held.values():
                    if held.is_durable:
                        result = result_of(held)
                        error = result.error
                        endings[held.arn] = Ending(
                            held.execution.identity.name,
                            held.execution.progress.status,
                            result.result,
                            f"{error.type}: {error.message}" if error else None,
                            tuple(sorted(_shape(result.operations, ""))),
                        )
        return cls(endings, Counter(trial.step_runs), Counter(trial.effects), failure)


@dataclass(frozen=True, slots=True)
class CrashRun:
    """One run: how handlers were kept, where one was to be killed, was killed, what came of it."""

    keep: Keep
    kill: Kill | None
    killed: Point | None
    outcome: Outcome

    @property
    def is_reached(self) -> bool:
        """Whether the handler came to the place where it was to be killed."""
        return self.kill is None or self.killed is not None

    def __str__(self) -> str:
        where = "not killed" if self.killed is None else f"killed {self.killed}"
        return shortened(f"{where}, {_KEEPING[self.keep]}", _LINE)


@dataclass(frozen=True, slots=True)
class CrashReport:
    """All runs of a test beside the one without replays and without a kill."""

    reference: Outcome
    runs: tuple[CrashRun, ...]

    @property
    def kills(self) -> int:
        """How many runs had a handler killed."""
        return sum(run.killed is not None for run in self.runs)

    @property
    def divergences(self) -> list[tuple[CrashRun, list[str]]]:
        """The runs that ended otherwise, each with what differs."""
        found = [(run, list(self._differences(run.outcome))) for run in self.runs]
        return [(run, differences) for run, differences in found if differences]

    @property
    def changed_effects(self) -> dict[tuple[str, str], list[tuple[CrashRun, int, int]]]:
        """The effects that happened more or less often, by name and key: in which runs, how often,
        and how often without.
        """
        found: dict[tuple[str, str], list[tuple[CrashRun, int, int]]] = defaultdict(list)
        normal = _by_effect(self.reference.effects)
        for run in self.runs:
            counted = _by_effect(run.outcome.effects)
            for effect in [*normal, *(e for e in counted if e not in normal)]:
                if counted[effect] != normal[effect]:
                    found[effect].append((run, counted[effect], normal[effect]))
        return dict(found)

    @property
    def repeated_steps(self) -> dict[str, int]:
        """The steps whose function ran more than once for one attempt, with how often at most."""
        most: Counter[str] = Counter()
        for run in self.runs:
            for step, count in run.outcome.step_runs.items():
                if count > 1:
                    name = step.name or f"(step {step.operation_id[:8]}, without a name)"
                    most[name] = max(most[name], count)
        return dict(most)

    @property
    def is_safe(self) -> bool:
        """Whether every run ended, and affected the world, as the undisturbed one."""
        return not self.divergences and not self.changed_effects

    def assert_safe(self, idempotent: Collection[str] | None = None) -> None:
        """Raise ``AssertionError``, with the whole report, unless every run was safe.

        ``idempotent``: the only steps whose functions may run more than once.
        """
        undeclared = (
            [] if idempotent is None else [s for s in self.repeated_steps if s not in idempotent]
        )
        if self.is_safe and not undeclared:
            return
        more = f"\nnot declared idempotent: {', '.join(undeclared)}" if undeclared else ""
        raise AssertionError(f"{self}{more}")

    def __str__(self) -> str:
        """Return the whole report."""
        unreached = sum(not run.is_reached for run in self.runs)
        rest = f"; {unreached} places were not reached again" if unreached else ""
        lines = [f"crash safety: {len(self.runs) + 1} runs, {self.kills} of them killed{rest}"]
        lines += self._told_divergences()
        lines += self._told_effects()
        if self.repeated_steps:
            lines.append(
                "ran more than once for one attempt (each has to be idempotent, or"
                " AT_MOST_ONCE_PER_RETRY):"
            )
            lines += [f"  step {name}: {n} times" for name, n in self.repeated_steps.items()]
        if self.is_safe:
            lines.append("every run ended, and affected the world, as the undisturbed one")
        return "\n".join(lines)

    def _told_divergences(self) -> list[str]:
        divergences = self.divergences
        if not divergences:
            return []
        lines = [f"{len(divergences)} runs ended otherwise than undisturbed:"]
        for run, differences in divergences[:_SHOWN_MAX]:
            lines.append(f"  {run}")
            lines += [f"    {line}" for line in differences]
        return lines + _and_more(len(divergences), "  ")

    def _told_effects(self) -> list[str]:
        if not self.changed_effects:
            return []
        lines = ["effects that did not happen as often as undisturbed:"]
        for (name, key), runs in self.changed_effects.items():
            most = max(runs, key=lambda found: found[1])
            steps = {
                effect.step
                for effect in most[0].outcome.effects
                if (effect.name, effect.key) == (name, key)
            }
            places = " and ".join(f"step {s}" if s else "no step" for s in sorted(steps, key=str))
            times = f"{most[1]} times instead of {most[2]}"
            lines.append(f"  {name} {key}".rstrip() + f", in {places or 'no step'}: {times}")
            lines += [f"    {run}" for run, _, _ in runs[:_SHOWN_MAX]]
            lines += _and_more(len(runs), "    ")
        return lines

    def _differences(self, outcome: Outcome) -> Iterator[str]:
        if outcome.failure and outcome.failure != self.reference.failure:
            yield from (f"the test: {line}" for line in outcome.failure.splitlines()[:12])
        for arn, normal in self.reference.endings.items():
            ending = outcome.endings.get(arn)
            if ending is None:
                yield f"{normal.name}: was not started"
            elif ending[:4] != normal[:4]:
                yield f"{normal.name}: {ending}"
                yield f"  instead of {normal}"
            elif ending.shape != normal.shape:
                yield f"{normal.name}: its history has another shape"
                yield from (f"  {line}" for line in _changed(normal.shape, ending.shape))
        for arn, ending in outcome.endings.items():
            if arn not in self.reference.endings:
                yield f"{ending.name}: was started, and is not undisturbed"


def _by_effect(effects: Mapping[Effect, int]) -> Counter[tuple[str, str]]:
    counted: Counter[tuple[str, str]] = Counter()
    for effect, count in effects.items():
        counted[effect.name, effect.key] += count
    return counted


def _shape(operations: Sequence[Operation], place: str) -> Iterator[str]:
    for number, operation in enumerate(sorted(operations, key=lambda o: o.operation_id)):
        kind = operation.sub_type or operation.operation_type
        own = f"{place}/{kind} {operation.name or number}"
        yield f"{own}: {operation.status}"
        yield from _shape(operation.children, own)


def _changed(normal: Iterable[str], found: Iterable[str]) -> list[str]:
    lines = [
        line for line in difflib.ndiff(list(normal), list(found)) if line.startswith(("- ", "+ "))
    ]
    return [shortened(line, _LINE) for line in lines[: 2 * _SHOWN_MAX]]


def _and_more(count: int, indent: str) -> list[str]:
    return [f"{indent}and {count - _SHOWN_MAX} more"] if count > _SHOWN_MAX else []

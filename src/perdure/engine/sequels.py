"""What follows upon a change at once is committed with it: two commands, one transaction.

An execution that wants its handler run, while this node has room for it, gets its lease by the very
change that says so: nothing is stored twice, and nobody is told in between. Each of the two
commands is applied and checked by itself; the store sees one change.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import NamedTuple

from perdure.core.commands import Command
from perdure.core.errors import Refusal
from perdure.core.execution import Execution
from perdure.core.machine import apply
from perdure.core.outcome import Outcome
from perdure.protocol.quick import quick

__all__ = ["Joint", "Sequel", "SequelSource", "join"]

_log = logging.getLogger(__name__)


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Sequel:
    """A command that is to follow upon an outcome."""

    command: Command
    taken: Callable[[Outcome], None]  #: hears what the command came to; it is durable
    given_up: Callable[[], object]  #: hears that it was not carried out


#: Says what is to follow upon an outcome that is not committed yet, if anything is.
SequelSource = Callable[[Outcome], Sequel | None]


class Joint(NamedTuple):
    """A sequel, what its command comes to, and the outcome of both commands as one change."""

    sequel: Sequel
    later: Outcome
    whole: Outcome


def join(
    source: SequelSource, execution: Execution | None, outcome: Outcome, now_ms: int
) -> Joint | None:
    """Return ``outcome`` with what follows upon it; None if nothing does.

    ``execution``, if there is one already, is not leased.
    """
    sequel = source(outcome)
    if sequel is None:
        return None
    try:
        if execution is None:
            after = Execution.of(outcome.identity, outcome.progress, outcome.operations.values())
        else:
            after = execution.preview(outcome)
        later = apply(after, sequel.command, now_ms)
    except (Refusal, AssertionError) as problem:
        # Whatever it is, it is met again, and dealt with, when the command comes by itself.
        _log.debug("execution %s: nothing follows at once: %s", outcome.identity.id, problem)
        sequel.given_up()
        return None
    whole = outcome.then(later)
    # Whoever goes on from it reads what is stored under the version that it has there.
    return Joint(sequel, replace(later, progress=whole.progress), whole)

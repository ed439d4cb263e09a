"""What is committed: everything one command has changed in one execution, and the messages it sends
(D3).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from perdure.core.event import Event
from perdure.core.execution import Identity, Progress
from perdure.core.operation import Operation
from perdure.core.outcome import Message, Outcome
from perdure.protocol.quick import quick

__all__ = ["Change", "Letter"]


class Letter(NamedTuple):
    """A message on its way from one execution to somebody else; kept until what it asks for is
    committed.
    """

    id: str
    sender_id: str
    sent_at_ms: int
    message: Message


@quick
@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One execution's change. Committed only if the stored version is still ``expected_version``.

    ``expected_version`` 0: the execution must not be there yet, nor its name taken; ``identity`` is
    set.
    """

    execution_id: str
    expected_version: int
    progress: Progress
    identity: Identity | None = None
    operations: Sequence[Operation] = ()
    events: Sequence[Event] = ()
    letters: Sequence[Letter] = ()  #: sent by this change
    delivered: Sequence[str] = ()  #: ids of the letters that this change answers: removed with it

    @classmethod
    def of(cls, outcome: Outcome, *, delivered: Sequence[str] = ()) -> "Change":
        """Return what is to be committed of ``outcome``."""
        identity, progress = outcome.identity, outcome.progress
        return cls(
            execution_id=identity.id,
            expected_version=outcome.base_version,
            progress=progress,
            identity=None if outcome.base_version else identity,
            operations=tuple(outcome.operations.values()),
            events=outcome.events,
            letters=_letters(outcome) if outcome.messages else (),
            delivered=delivered,
        )


def _letters(outcome: Outcome) -> tuple[Letter, ...]:
    sender_id, progress = outcome.identity.id, outcome.progress
    return tuple(
        Letter(
            f"{sender_id}-{progress.version}-{number}", sender_id, progress.updated_at_ms, message
        )
        for number, message in enumerate(outcome.messages)
    )

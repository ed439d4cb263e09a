"""The store in memory: the reference of the differential test, and the testing library's and the
simulator's store.
"""

from collections import Counter
from collections.abc import Sequence
from operator import attrgetter
from typing import TYPE_CHECKING

from perdure.core.event import Event
from perdure.core.execution import Execution, ExecutionKind, Identity, Progress
from perdure.protocol.words import ExecutionStatus
from perdure.store.change import Change, Letter
from perdure.store.protocol import (
    Agenda,
    Claim,
    CommitResult,
    Due,
    EventQuery,
    ExecutionQuery,
    Tally,
)
from perdure.store.records import Record, RecordConflictError, RecordWrite

if TYPE_CHECKING:
    from perdure.core.operation import Operation

__all__ = ["MemoryStore", "matches"]


class _Row:
    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.progress = Progress()
        self.operations: dict[str, Operation] = {}
        self.events: list[Event] = []
        self.claim: Claim | None = None


class MemoryStore:
    """Keeps everything until the process ends."""

    unreadable_rows = 0

    def __init__(self, *, is_exclusive: bool = True) -> None:
        """Begin empty. Several engines may share one that is not ``is_exclusive``."""
        self.is_exclusive = is_exclusive
        self._claims: dict[str, Claim] = {}
        self._rows: dict[str, _Row] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._letters: dict[str, Letter] = {}
        self._records: dict[tuple[str, str], Record] = {}

    async def open(self) -> int:
        """Return the highest instant ever stored."""
        return max((row.progress.updated_at_ms for row in self._rows.values()), default=0)

    async def aclose(self) -> None:
        """Keep everything: the same object can be opened again, as after a restart."""

    async def commit(self, change: Change) -> CommitResult:
        """Apply a change."""
        return self.apply(change)

    def apply(self, change: Change) -> CommitResult:
        """Apply a change at once."""
        row = self._rows.get(change.execution_id)
        if change.expected_version == 0:
            identity = change.identity
            assert identity is not None, "a first change carries the identity"
            key = (identity.function_arn, identity.name)
            is_named = identity.kind is ExecutionKind.DURABLE
            if row is not None or (is_named and key in self._names):
                return CommitResult.CONFLICT
            row = self._rows[change.execution_id] = _Row(identity)
            if is_named:
                self._names[key] = change.execution_id
        elif row is None or row.progress.version != change.expected_version:
            return CommitResult.CONFLICT
        row.progress, row.claim = change.progress, None
        row.operations.update({operation.id: operation for operation in change.operations})
        row.events += change.events
        self._letters.update({letter.id: letter for letter in change.letters})
        self._remove_letters(change.delivered)
        if change.progress.status is ExecutionStatus.DELETING:
            self._free_name(row.identity)
        return CommitResult.COMMITTED

    async def load(self, execution_id: str, known: Execution | None = None) -> Execution | None:
        """Return an execution with all its operations; ``known`` itself if nothing has changed."""
        row = self._rows.get(execution_id)
        if row is None:
            return None
        if known is not None and known.progress.version == row.progress.version:
            return known
        return Execution.of(row.identity, row.progress, row.operations.values())

    async def find(self, function_arn: str, name: str) -> str | None:
        """Return the id of the execution that has the name, if any."""
        return self._names.get((function_arn, name))

    async def upcoming(
        self, agenda: Agenda, *, before_ms: int, limit: int, claim: Claim | None = None
    ) -> Sequence[Due]:
        """Return the executions due before an instant, the earliest first."""
        instant = attrgetter(agenda.value)
        due = sorted(
            Due(at_ms, execution_id)
            for execution_id, row in self._rows.items()
            if (at_ms := instant(row.progress)) is not None
            and at_ms < before_ms
            and _is_free(row.claim, claim)
        )[:limit]
        if claim is not None:
            for _, execution_id in due:
                self._rows[execution_id].claim = claim
        return due

    async def letters(
        self, *, limit: int, after_id: str = "", claim: Claim | None = None
    ) -> Sequence[Letter]:
        """Return letters not yet delivered, by id."""
        free = (i for i in self._letters if i > after_id and _is_free(self._claims.get(i), claim))
        found = sorted(free)[:limit]
        if claim is not None:
            self._claims.update(dict.fromkeys(found, claim))
        return [self._letters[letter_id] for letter_id in found]

    async def discard(self, letter_ids: Sequence[str]) -> None:
        """Remove letters that nobody can receive."""
        self._remove_letters(letter_ids)

    async def events(self, query: EventQuery) -> Sequence[Event]:
        """Return a page of history."""
        row = self._rows.get(query.execution_id)
        if row is None:
            return []
        if not query.newest_first:
            return row.events[query.after_id : query.after_id + query.limit]
        count = len(row.events)
        last = count if query.after_id == 0 else min(count, query.after_id - 1)
        return row.events[max(0, last - query.limit) : last][::-1]

    async def list(self, query: ExecutionQuery) -> Sequence[tuple[Identity, Progress]]:
        """Return a page of durable executions, without their operations."""
        found = sorted(
            (row for row in self._rows.values() if matches(query, row.identity, row.progress)),
            key=lambda row: (row.identity.started_at_ms, row.identity.id),
            reverse=query.newest_first,
        )
        return [(row.identity, row.progress) for row in found[: query.limit]]

    async def tally(self, *, limit: int) -> Sequence[Tally]:
        """Return how many of the newest durable executions have which status, by function."""
        newest = await self.list(ExecutionQuery(limit=limit, newest_first=True))
        counts = Counter((identity.function_arn, progress.status) for identity, progress in newest)
        return [Tally(arn, status, count) for (arn, status), count in counts.items()]

    async def erase(self, execution_id: str) -> None:
        """Remove every row of an execution whose status is DELETING (R2)."""
        row = self._rows.get(execution_id)
        if row is None or row.progress.status is not ExecutionStatus.DELETING:
            return
        del self._rows[execution_id]

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        return self._records.get((collection, key))

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return records by key."""
        keys = sorted(
            key
            for kind, key in self._records
            if kind == collection and key.startswith(prefix) and key > after
        )
        return [self._records[collection, key] for key in keys[:limit]]

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none."""
        for write in writes:
            record = self._records.get((write.collection, write.key))
            revision = record.revision if record else 0
            if write.expected_revision not in (None, revision):
                raise RecordConflictError(f"{write.collection}/{write.key} is at {revision}")
        for write in writes:
            place = (write.collection, write.key)
            record = self._records.pop(place, None)
            if write.body is not None:
                self._records[place] = Record(
                    collection=write.collection,
                    key=write.key,
                    revision=record.revision + 1 if record else 1,
                    body=write.body,
                )

    def _remove_letters(self, letter_ids: Sequence[str]) -> None:
        for letter_id in letter_ids:
            self._letters.pop(letter_id, None)
            self._claims.pop(letter_id, None)

    def _free_name(self, identity: Identity) -> None:
        key = (identity.function_arn, identity.name)
        if self._names.get(key) == identity.id:
            del self._names[key]


def _is_free(held: Claim | None, claim: Claim | None) -> bool:
    """Tell whether ``claim`` may have what is under the claim ``held``."""
    return (
        claim is None or held is None or held.owner == claim.owner or held.until_ms <= claim.at_ms
    )


def matches(query: ExecutionQuery, identity: Identity, progress: Progress) -> bool:
    """Tell whether an execution belongs to the pages of ``query``."""
    place = (identity.started_at_ms, identity.id)
    in_page = query.after is None or (
        place < query.after if query.newest_first else place > query.after
    )
    after_ms, before_ms = query.started_after_ms, query.started_before_ms
    return (
        in_page
        and identity.kind is ExecutionKind.DURABLE
        and query.function_arn in (None, identity.function_arn)
        and query.version in (None, identity.version)
        and query.name in (None, identity.name)
        and (query.statuses is None or progress.status in query.statuses)
        and (after_ms is None or identity.started_at_ms > after_ms)
        and (before_ms is None or identity.started_at_ms < before_ms)
    )

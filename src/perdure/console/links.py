"""Links with which one callback is approved or rejected, once, by whoever has the link.

A link is a random number and an expiry, signed for this purpose and no other: a forged or expired
one is known without looking anything up, and it says nothing of the callback. What it decides is in
a record; the callback itself takes one answer only (C1), so that two who decide at once, or a
server that dies between, cannot decide it twice.
"""

import hmac
import secrets
from dataclasses import dataclass
from enum import Enum
from typing import Final

import msgspec

from perdure.engine.seals import Seals
from perdure.store.protocol import Store
from perdure.store.records import Record, RecordConflictError, RecordWrite

__all__ = ["LINK_QUESTION_MAX", "Link", "LinkProblem", "Links"]

LINK_QUESTION_MAX: Final = 500
_COLLECTION: Final = "approval-link"
_PURPOSE: Final = "approval link"
_NONCE_BYTES: Final = 16
_TIME_BYTES: Final = 6
_MAC_BYTES: Final = 32
_PRUNED_MAX: Final = 500


class LinkProblem(Enum):
    """Why a link opens nothing."""

    FORGED = "forged"
    EXPIRED = "expired"
    USED = "used"


class _Document(msgspec.Struct, frozen=True):
    """What is kept of a link."""

    execution_id: str
    operation_id: str
    expires_at_ms: int
    question: str = ""
    decision: str = ""  #: empty: none yet
    decided_at_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """A link that opens something, or did."""

    text: str
    execution_id: str
    operation_id: str
    expires_at_ms: int
    question: str
    decision: str
    decided_at_ms: int
    revision: int
    key: str


class Links:
    """Makes and opens links."""

    def __init__(self, seals: Seals, store: Store) -> None:
        """Sign with ``seals``; keep what links decide in ``store``."""
        self._seals = seals
        self._store = store

    async def make(
        self, execution_id: str, operation_id: str, *, question: str, expires_at_ms: int
    ) -> str:
        """Return a new link's text."""
        nonce = secrets.token_bytes(_NONCE_BYTES)
        body = expires_at_ms.to_bytes(_TIME_BYTES, "big") + nonce
        document = _Document(execution_id, operation_id, expires_at_ms, question)
        await self._store.write_records([_write(body.hex(), document, revision=0)])
        return (body + self._seals.derive(_PURPOSE, body.hex())).hex()

    async def open(self, text: str, now_ms: int) -> Link | LinkProblem:
        """Return what a link decides, or why it decides nothing; one that is used says how it was.

        Changes nothing.
        """
        try:
            raw = bytes.fromhex(text)
        except ValueError:
            return LinkProblem.FORGED
        body, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        is_ours = hmac.compare_digest(mac, self._seals.derive(_PURPOSE, body.hex()))
        if not is_ours or len(body) != _TIME_BYTES + _NONCE_BYTES:
            return LinkProblem.FORGED
        if int.from_bytes(body[:_TIME_BYTES], "big") <= now_ms:
            return LinkProblem.EXPIRED
        record = await self._store.read_record(_COLLECTION, body.hex())
        if record is None:
            return LinkProblem.EXPIRED
        return _link(text, record)

    async def use(self, link: Link, decision: str, now_ms: int) -> bool:
        """Note what was decided; return whether nobody did before."""
        if link.decision:
            return False
        document = _Document(
            link.execution_id,
            link.operation_id,
            link.expires_at_ms,
            link.question,
            decision,
            now_ms,
        )
        try:
            await self._store.write_records([_write(link.key, document, revision=link.revision)])
        except RecordConflictError:
            return False
        return True

    async def prune(self, now_ms: int) -> None:
        """Remove links that have expired, the oldest first."""
        records = await self._store.list_records(_COLLECTION, limit=_PRUNED_MAX)
        past = (now_ms + 1).to_bytes(_TIME_BYTES, "big").hex()
        old = [record.key for record in records if record.key < past]
        if old:
            await self._store.write_records(
                [RecordWrite(collection=_COLLECTION, key=key, body=None) for key in old]
            )


def _write(key: str, document: _Document, *, revision: int) -> RecordWrite:
    return RecordWrite(
        collection=_COLLECTION,
        key=key,
        body=msgspec.json.encode(document),
        expected_revision=revision,
    )


def _link(text: str, record: Record) -> Link:
    document = msgspec.json.decode(record.body, type=_Document)
    return Link(
        text=text,
        execution_id=document.execution_id,
        operation_id=document.operation_id,
        expires_at_ms=document.expires_at_ms,
        question=document.question,
        decision=document.decision,
        decided_at_ms=document.decided_at_ms,
        revision=record.revision,
        key=record.key,
    )

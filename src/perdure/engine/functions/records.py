"""Documents over the store's records: typed, with the revision they were read with."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

import msgspec

from perdure.protocol.wire import decode, encode
from perdure.store.records import Record, RecordWrite

__all__ = ["Collection", "Held", "RecordStore"]

_PAGE = 200

Document = TypeVar("Document")


class RecordStore(Protocol):
    """Keeps records: the part of a store that the catalog needs."""

    async def read_record(self, collection: str, key: str) -> Record | None:
        """Return one record."""
        ...

    async def list_records(
        self, collection: str, *, prefix: str = "", after: str = "", limit: int = 1000
    ) -> Sequence[Record]:
        """Return the records whose keys start with ``prefix`` and come after ``after``, by key."""
        ...

    async def write_records(self, writes: Sequence[RecordWrite]) -> None:
        """Write records, all or none, durably.

        Raises:
            RecordConflictError: one of them was written by somebody else.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Held(Generic[Document]):
    """A document as it was read."""

    key: str
    revision: int
    document: Document


class Collection(Generic[Document]):
    """All documents of one kind."""

    def __init__(self, store: RecordStore, name: str, shape: type[Document]) -> None:
        """Keep documents of ``shape`` in the store's collection ``name``."""
        self._store = store
        self._name = name
        self._shape = shape

    async def read(self, key: str) -> Held[Document] | None:
        """Return one document."""
        record = await self._store.read_record(self._name, key)
        return None if record is None else self._held(record)

    async def page(
        self, *, prefix: str = "", after: str = "", limit: int = _PAGE
    ) -> list[Held[Document]]:
        """Return documents by key."""
        records = await self._store.list_records(
            self._name, prefix=prefix, after=after, limit=limit
        )
        return [self._held(record) for record in records]

    async def every(self, *, prefix: str = "") -> AsyncIterator[Held[Document]]:
        """Go through all documents, by key, a page at a time."""
        after = ""
        while True:
            page = await self.page(prefix=prefix, after=after)
            for held in page:
                yield held
            if len(page) < _PAGE:
                return
            after = page[-1].key

    def create(self, key: str, document: Document) -> RecordWrite:
        """Return the write of a document that is not there yet."""
        return self._write(key, document, 0)

    def replace(self, held: Held[Document], document: Document) -> RecordWrite:
        """Return the write of a document in place of the one that was read."""
        return self._write(held.key, document, held.revision)

    def put(self, key: str, document: Document) -> RecordWrite:
        """Return the write of a document, whatever is there."""
        return self._write(key, document, None)

    def remove(self, held: Held[Document]) -> RecordWrite:
        """Return the removal of a document as it was read."""
        return RecordWrite(
            collection=self._name, key=held.key, body=None, expected_revision=held.revision
        )

    def _write(self, key: str, document: Document, revision: int | None) -> RecordWrite:
        return RecordWrite(
            collection=self._name,
            key=key,
            body=msgspec.json.encode(encode(document)),
            expected_revision=revision,
        )

    def _held(self, record: Record) -> Held[Document]:
        document = decode(self._shape, msgspec.json.decode(record.body))
        return Held(key=record.key, revision=record.revision, document=document)

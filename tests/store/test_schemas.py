"""What was released is not made otherwise: a database that was opened once is not looked at again,
so that a change to what made it would never reach it.

Whoever changes a schema that has landed gives it a new number, and adds its digest here.
"""

import hashlib
from collections.abc import Iterable
from typing import Final

import pytest

from perdure.store import postgres_schema, sqlite_schema

POSTGRES: Final = {1: "2e7ca1c089a83af6", 2: "e3b0c44298fc1c14", 3: "aeb9e7c1edd6dd2e"}
SQLITE: Final = {3: "cce046af998bd84a"}


@pytest.mark.parametrize("number", range(1, postgres_schema.SCHEMA + 1))
def test_a_schema_of_postgresql_stays_as_it_was_released(number: int) -> None:
    assert digest(postgres_schema.MIGRATIONS[number - 1]) == POSTGRES[number]


def test_the_schema_of_sqlite_stays_as_it_was_released() -> None:
    assert digest(sqlite_schema.TABLES) == SQLITE[sqlite_schema.SCHEMA]


def digest(statements: Iterable[str]) -> str:
    """Return what stands for statements, however they are laid out."""
    text = ";".join(" ".join(statement.split()) for statement in statements)
    return hashlib.sha256(text.encode()).hexdigest()[:16]

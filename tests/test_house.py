"""The house in order: what is cited exists, modules stay small, nothing names a machine."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SOURCES = sorted((ROOT / "src").rglob("*.py"))
RULES = (ROOT / "docs" / "reliability.md").read_text()
INVARIANTS = (ROOT / "src/perdure/core/invariants.py").read_text()

_CITED = re.compile(r"\((?:P\d+; )?((?:[DFSTCIXKHVRQE]\d{1,2})(?:, [DFSTCIXKHVRQE]\d{1,2})*)\)")


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_every_cited_rule_exists(path: Path) -> None:
    cited = {rule for match in _CITED.findall(path.read_text()) for rule in match.split(", ")}
    unknown = {
        rule
        for rule in cited
        if not re.search(rf"\| {rule} \|", RULES) and not re.search(rf"^{rule}  ", INVARIANTS, re.M)
    }
    assert unknown == set()


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT / "src")))
def test_a_module_is_a_room_not_a_hall(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 400


def test_documents_name_files_that_exist() -> None:
    documents = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    missing = {
        f"{document.name}: {target}"
        for document in documents
        for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text())
        if not (document.parent / target).exists()
    }
    assert missing == set()


def test_locks_hold_no_address() -> None:
    locks = [*ROOT.glob("*.lock"), *ROOT.glob("*lock.json")]
    assert locks
    assert not [lock for lock in locks if "://" in lock.read_text()]

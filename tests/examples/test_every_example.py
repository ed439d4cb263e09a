"""What holds for every example: its result, whatever happens to the process that runs it."""

import itertools

import pytest

from perdure.protocol.words import ExecutionStatus
from perdure.sdk.parking import Parking
from tests.sdk.service import Ended

from .cases import CASES, PORTABLE, Case
from .stage import AWS, EXAMPLES, CrashAt

every_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)

#: What is more than a function that is invoked with its event, and has tests of its own.
APART = {"hello", "user_registration", "embedded_signup"}


def story(ended: Ended) -> list[tuple[object, ...]]:
    """Return what was recorded, without ids and in an order that no thread decides."""
    by_id = {operation.id: operation for operation in ended.operations}

    def path(operation_id: str | None) -> str:
        if operation_id is None:
            return ""
        operation = by_id[operation_id]
        return f"{path(operation.parent_id)}/{operation.name}"

    return sorted(
        (path(one.id), one.type.value, one.sub_type or "", one.status.value)
        for one in ended.operations
    )


def test_every_example_is_run() -> None:
    folders = {path.name for path in EXAMPLES.iterdir() if path.is_dir()}

    assert folders - APART == {case.name for case in CASES}


@every_case
def test_an_example_returns_its_result(case: Case) -> None:
    ended = case.play()

    assert (ended.status, ended.result) == (ExecutionStatus.SUCCEEDED, case.result), ended.error


@every_case
def test_a_kept_handler_comes_to_the_same(case: Case) -> None:
    replayed, kept = case.play(), case.play(keep=Parking(10))

    assert kept.result == case.result
    assert (kept.invocations, story(kept)) == (replayed.invocations, story(replayed))


@every_case
@pytest.mark.parametrize("is_after", [False, True], ids=["before", "after"])
def test_an_example_survives_a_crash_at_every_checkpoint(case: Case, is_after: bool) -> None:
    for number in itertools.count():
        crash = CrashAt(number, is_after=is_after)
        ended = case.play(crash=crash)
        if not crash.has_struck:
            break
        result = ended.result
        if case.name == "payment_once":
            assert result["status"] == "paid", f"crashed at checkpoint {number}"
        else:
            assert result == case.result, f"crashed at checkpoint {number}"


@pytest.mark.parametrize("case", PORTABLE, ids=lambda case: case.name)
def test_an_example_runs_on_awss_sdk_by_its_import_lines_alone(case: Case) -> None:
    ours, theirs = case.play(), case.play(package=AWS)

    assert theirs.result == case.result, theirs.error
    assert story(ours) == story(theirs)
    assert ours.invocations == theirs.invocations


def test_many_examples_run_on_awss_sdk() -> None:
    assert len(PORTABLE) >= 25

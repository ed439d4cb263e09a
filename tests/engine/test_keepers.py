"""Which worker keeps which handler, as far as the server remembers (K2)."""

import pytest

from perdure.engine import keepers as module
from perdure.engine.keepers import Keepers


def keeping(per_worker_max: int = 9, **kept: str) -> Keepers:
    """Return what each execution's worker said it keeps since epoch 1."""
    keepers = Keepers(per_worker_max=per_worker_max)
    for arn, worker_id in kept.items():
        keepers.keep(arn, worker_id=worker_id, epoch=1)
    return keepers


def found(keepers: Keepers, *arns: str) -> list[str | None]:
    """Return who keeps these for the invocation of epoch 2."""
    return [keepers.keeper(arn, epoch=2) for arn in arns]


def test_what_a_worker_keeps_is_found_for_the_invocation_that_follows() -> None:
    keepers = keeping(a="one", b="two")
    assert found(keepers, "a", "b", "c") == ["one", "two", None]
    assert [keepers.count(worker) for worker in ("one", "two", "three")] == [1, 1, 0]


@pytest.mark.parametrize("epoch", [0, 1, 3, 4])
def test_it_is_good_for_no_other_invocation(epoch: int) -> None:
    """F5: whoever ran since has raised the epoch."""
    assert keeping(a="one").keeper("a", epoch=epoch) is None


def test_the_worker_that_kept_it_last_counts() -> None:
    keepers = keeping(a="one")
    keepers.keep("a", worker_id="two", epoch=2)
    assert keepers.keeper("a", epoch=3) == "two"
    assert (keepers.count("one"), keepers.count("two"), len(keepers)) == (0, 1, 1)


def test_a_worker_drops_its_own_handlers_alone() -> None:
    keepers = keeping(a="one", b="two")
    for arn in ("a", "b", "c"):
        keepers.drop(arn, worker_id="one")
    assert found(keepers, "a", "b") == [None, "two"]


def test_an_execution_is_forgotten_and_so_is_what_was_never_known() -> None:
    keepers = keeping(a="one", b="one")
    for arn in ("a", "a", "c"):
        keepers.forget(arn)
    assert (found(keepers, "a", "b"), len(keepers)) == ([None, "one"], 1)


def test_a_worker_is_forgotten_with_all_it_kept() -> None:
    keepers = keeping(a="one", b="two", c="one")
    for worker_id in ("one", "one", "three"):
        keepers.forget_worker(worker_id)
    assert (found(keepers, "a", "b", "c"), len(keepers)) == ([None, "two", None], 1)


def test_a_worker_is_believed_in_so_many_handlers_the_latest_ones() -> None:
    keepers = keeping(2, a="one", b="one", x="two")
    keepers.keep("a", worker_id="one", epoch=1)
    keepers.keep("c", worker_id="one", epoch=1)
    assert found(keepers, "a", "b", "c", "x") == ["one", None, "one", "two"]
    assert keepers.count("one") == 2


def test_a_worker_that_keeps_one_at_most_keeps_the_last() -> None:
    keepers = keeping(1, a="one", b="one")
    assert found(keepers, "a", "b") == [None, "one"]


def test_nothing_is_remembered_if_nothing_is_to_be_kept() -> None:
    keepers = keeping(0, a="one")
    assert (found(keepers, "a"), len(keepers)) == ([None], 0)


def test_all_workers_together_are_bounded_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """Q3: workers that have gone unnoticed cost no more than that."""
    monkeypatch.setattr(module, "_KEPT_MAX", 2)
    keepers = keeping(a="one", b="two", c="three")
    assert found(keepers, "a", "b", "c") == [None, "two", "three"]

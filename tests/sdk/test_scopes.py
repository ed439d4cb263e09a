"""The tree of scopes: what is closed under what, and the paths of tasks."""

from perdure.sdk.scopes import Scope


def test_what_is_under_a_closed_scope_is_closed_and_nothing_else() -> None:
    root = Scope(None, None)
    batch = Scope(root, "batch")
    branch = Scope(batch, "branch")
    step = Scope(branch, "step", is_work=True)

    batch.close()

    assert [scope.is_closed for scope in (root, batch, branch, step)] == [False, True, True, True]


def test_tasks_are_numbered_by_who_starts_them() -> None:
    scope = Scope(None, None)

    paths = [scope.fork(""), scope.fork(""), scope.fork(".2"), scope.fork(".1"), scope.fork(".2")]

    assert paths == [".1", ".2", ".2.1", ".1.1", ".2.2"]

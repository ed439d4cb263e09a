"""Who is blocked, who is released, and when nobody runs any more."""

import threading
from typing import Any

import pytest

from perdure.protocol.operations import Operation
from perdure.protocol.words import OperationStatus, OperationType
from perdure.sdk.exceptions import OrphanedChildException, SuspendExecution
from perdure.sdk.journal import Journal
from perdure.sdk.run import suspension
from perdure.sdk.scopes import Scope
from perdure.sdk.switchboard import Mailbox, Switchboard, Waiter


def an_operation(name: str = "wait", **members: Any) -> Operation:
    values: dict[str, Any] = {
        "id": name,
        "type": OperationType.WAIT,
        "status": OperationStatus.STARTED,
        "start_timestamp": 0,
    }
    return Operation(**(values | members))


class Desk:
    """A switchboard, and whom it has released."""

    def __init__(self, *operations: Operation, busy: int = 1) -> None:
        self.journal = Journal(operations)
        self.board = Switchboard(threading.Lock(), self.journal, weight=1)
        self.board.busy = busy
        self.root = Scope(None, None)
        self.released: list[str] = []

    def a_waiter(self, name: str = "waiter", scope: Scope | None = None) -> Waiter:
        return Waiter(lambda: self.released.append(name), scope or self.root)


WAIT = an_operation()
DONE = an_operation(status=OperationStatus.SUCCEEDED)


def test_who_waits_for_a_change_is_released_by_it_and_runs_again() -> None:
    desk = Desk(WAIT)
    waiter = desk.a_waiter()

    assert desk.board.block_on(WAIT, None, waiter)
    assert desk.board.is_at_rest
    desk.board.merge([an_operation("another")])
    assert desk.released == []
    desk.board.merge([DONE])

    assert desk.released == ["waiter"]
    assert waiter.error is None
    assert not desk.board.is_at_rest
    assert desk.board.busy == 1


def test_a_change_releases_all_who_wait_for_it() -> None:
    desk = Desk(WAIT, busy=2)
    for name in ("one", "two"):
        desk.board.block_on(WAIT, None, desk.a_waiter(name))

    desk.board.merge([DONE])

    assert sorted(desk.released) == ["one", "two"]


def test_nobody_waits_for_what_has_changed_meanwhile() -> None:
    desk = Desk(WAIT)
    desk.board.merge([DONE])

    assert not desk.board.block_on(WAIT, None, desk.a_waiter())
    assert (desk.board.busy, desk.board.is_at_rest) == (1, False)


def test_as_long_as_one_runs_the_handler_is_not_at_rest() -> None:
    desk = Desk(WAIT, busy=2)

    desk.board.block_on(WAIT, None, desk.a_waiter())
    assert not desk.board.is_at_rest
    desk.board.add(-1)
    assert desk.board.is_at_rest
    desk.board.add(1)
    assert not desk.board.is_at_rest


def test_where_nobody_waits_nobody_is_at_rest() -> None:
    assert not Desk(busy=0).board.is_at_rest


def test_the_earliest_instant_is_that_of_whoever_is_due_first() -> None:
    others = [an_operation(f"{number}") for number in range(3)]
    desk = Desk(*others, busy=3)
    assert desk.board.earliest_ms is None

    for operation, until_ms in zip(others, (20, None, 10), strict=True):
        desk.board.block_on(operation, until_ms, desk.a_waiter())

    assert desk.board.earliest_ms == 10


def test_a_message_releases_its_reader() -> None:
    desk, mailbox = Desk(busy=2), Mailbox()

    assert desk.board.block_on_mail(mailbox, desk.a_waiter())
    assert not desk.board.is_at_rest, "a branch still runs"
    desk.board.deliver(mailbox, "end", is_last_word=True)

    assert desk.released == ["waiter"]
    assert list(mailbox.messages) == ["end"]
    assert desk.board.busy == 1, "the reader runs, and the branch no more"


def test_nobody_waits_for_a_message_that_is_there() -> None:
    desk, mailbox = Desk(), Mailbox()
    desk.board.deliver(mailbox, "more to come", is_last_word=False)

    assert not desk.board.block_on_mail(mailbox, desk.a_waiter())
    assert desk.board.busy == 1


def test_a_reader_is_released_once() -> None:
    desk, mailbox = Desk(busy=3), Mailbox()
    desk.board.block_on_mail(mailbox, desk.a_waiter())

    for _ in range(2):
        desk.board.deliver(mailbox, "end", is_last_word=True)

    assert desk.released == ["waiter"]
    assert len(mailbox.messages) == 2
    assert desk.board.busy == 1


def test_who_is_under_a_scope_that_is_closed_leaves() -> None:
    desk = Desk(WAIT, busy=2)
    inner = Scope(Scope(desk.root, "batch"), "branch")
    under, beside = desk.a_waiter("under", inner), desk.a_waiter("beside")
    for waiter in (under, beside):
        desk.board.block_on(WAIT, None, waiter)

    assert inner.parent is not None
    desk.board.close(inner.parent)

    assert desk.released == ["under"]
    assert isinstance(under.error, OrphanedChildException)
    assert beside.error is None
    with pytest.raises(OrphanedChildException):
        desk.board.check(inner)
    with pytest.raises(OrphanedChildException):
        desk.board.block_on(WAIT, None, desk.a_waiter(scope=inner))
    desk.board.check(desk.root)


def test_a_stop_reaches_who_is_blocked_and_who_comes_later() -> None:
    desk = Desk(WAIT)
    waiter = desk.a_waiter()
    desk.board.block_on(WAIT, None, waiter)

    desk.board.stop(suspension)

    assert desk.released == ["waiter"]
    assert isinstance(waiter.error, SuspendExecution)
    with pytest.raises(SuspendExecution):
        desk.board.check(desk.root)
    with pytest.raises(SuspendExecution):
        desk.board.block_on(WAIT, None, desk.a_waiter())
    with pytest.raises(SuspendExecution):
        desk.board.block_on_mail(Mailbox(), desk.a_waiter())


def test_who_withdraws_runs_and_is_released_no_more() -> None:
    desk = Desk(WAIT)
    waiter = desk.a_waiter()
    desk.board.block_on(WAIT, None, waiter)

    for _ in range(2):
        desk.board.withdraw(waiter)
    desk.board.merge([DONE])

    assert desk.released == []
    assert desk.board.busy == 1


def test_a_message_for_a_reader_who_has_withdrawn_is_kept() -> None:
    desk, mailbox = Desk(busy=2), Mailbox()
    waiter = desk.a_waiter()
    desk.board.block_on_mail(mailbox, waiter)
    desk.board.withdraw(waiter)

    desk.board.deliver(mailbox, "end", is_last_word=True)

    assert desk.released == []
    assert not desk.board.block_on_mail(mailbox, desk.a_waiter("again"))


def test_without_changes_nobody_is_released() -> None:
    desk = Desk(WAIT)
    desk.board.block_on(WAIT, None, desk.a_waiter())

    desk.board.merge([])

    assert desk.board.is_at_rest

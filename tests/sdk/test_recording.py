"""What is recorded, is recorded before its context's end or not at all."""

import threading
from typing import Any

import pytest

from perdure.protocol.words import OperationAction, OperationType
from perdure.sdk.exceptions import OrphanedChildException
from perdure.sdk.journal import Identity, Journal
from perdure.sdk.operations.storing import update_of
from perdure.sdk.run import Run
from perdure.sdk.scopes import Scope


class ClosingHooks:
    """Plugins during whose start hook another thread ends the context."""

    def __init__(self) -> None:
        self.scope: Scope | None = None

    def on_operation_start(self, update: Any, operation: Any) -> None:
        assert self.scope is not None
        self.scope.close()


def test_a_branch_records_nothing_after_its_batch_is_over() -> None:
    hooks: Any = ClosingHooks()
    run = Run("arn", "token", Journal(), hooks, threading.Lock(), weight=1)
    hooks.scope = Scope(None, "batch")
    late = Identity("op", OperationType.STEP, "Step", "batch", "late")

    with pytest.raises(OrphanedChildException):
        run.record(update_of(late, OperationAction.START), hooks.scope)

    assert not run.has_pending, "the service would refuse it, and the execution would fail"

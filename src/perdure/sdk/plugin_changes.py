"""Telling plugins that operations have changed, on a thread of its own, never on a sender's.

The view holds what the service has said of each operation, and makes infos of it when they are
asked for. The notifier holds at most one notification back: what changes while the plugins are
still busy with the last one is told together with the rest.
"""

from __future__ import annotations

import logging
import threading
from typing import TYPE_CHECKING

from perdure.sdk.plugin_infos import OperationChangeInfo, OperationInfo

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from perdure.protocol.operations import Operation

__all__ = ["ChangeNotifier", "OperationView"]

_logger = logging.getLogger(__name__)


class OperationView:
    """The operations of one execution, as the plugins of one invocation may see them."""

    def __init__(self) -> None:
        """Begin without operations."""
        self._lock = threading.Lock()
        self._operations: dict[str, Operation] = {}
        self._infos: dict[str, OperationInfo] = {}
        self._without_info: dict[str, None] = {}  # a set that keeps the order

    def merge(self, operations: Iterable[Operation]) -> list[str]:
        """Take newer states; return the ids of those that are new or whose status changed."""
        changed: list[str] = []
        with self._lock:
            for operation in operations:
                known = self._operations.get(operation.id)
                self._operations[operation.id] = operation
                self._without_info[operation.id] = None
                if known is None or known.status is not operation.status:
                    changed.append(operation.id)
        return changed

    def infos(self) -> dict[str, OperationInfo]:
        """Return every operation by its id; the dict is the caller's own.

        Only what has changed since the last call is made anew.
        """
        with self._lock:
            for operation_id in self._without_info:
                operation = self._operations[operation_id]
                self._infos[operation_id] = OperationInfo.from_operation(operation)
            self._without_info.clear()
            return dict(self._infos)


class ChangeNotifier:
    """The change notifications of one invocation, and the thread that delivers them."""

    def __init__(
        self,
        execution_arn: str | None,
        view: OperationView,
        deliver: Callable[[OperationChangeInfo], None],
    ) -> None:
        """Begin with nothing to tell; the thread starts with the first change."""
        self._execution_arn = execution_arn
        self._view = view
        self._deliver = deliver
        self._changed: dict[str, None] = {}  # a set that keeps the order
        self._is_closing = False
        self._condition = threading.Condition()
        self._thread: threading.Thread | None = None
        self._has_no_thread = False

    def submit(self, operation_ids: Iterable[str]) -> None:
        """Have it told that these operations have changed. Runs no hook here."""
        with self._condition:
            self._changed.update(dict.fromkeys(operation_ids))
            if self._thread is None and not self._has_no_thread:
                self._start()
            self._condition.notify()

    def close(self) -> None:
        """Deliver what is left, end the thread, and return when both are done.

        Without a thread the rest is delivered here, and what stops a thread goes on to the caller.
        """
        with self._condition:
            self._is_closing = True
            self._condition.notify()
        if self._thread is not None:
            self._thread.join()
        info = self._take()
        if info is not None:
            self._deliver(info)

    def _start(self) -> None:
        thread = threading.Thread(target=self._run, name="plugin-change", daemon=True)
        try:
            thread.start()
        except RuntimeError:
            self._has_no_thread = True
            _logger.warning(
                "no thread can be started for on_operation_change; "
                "it is called once, before on_invocation_end",
                exc_info=True,
            )
        else:
            self._thread = thread

    def _run(self) -> None:
        while True:
            with self._condition:
                self._condition.wait_for(lambda: self._changed or self._is_closing)
            info = self._take()
            if info is None:
                return
            try:
                self._deliver(info)
            except BaseException:
                _logger.exception("on_operation_change of a plugin tried to stop its thread")

    def _take(self) -> OperationChangeInfo | None:
        with self._condition:
            changed, self._changed = self._changed, {}
        if not changed:
            return None
        operations = self._view.infos()
        return OperationChangeInfo(
            execution_arn=self._execution_arn,
            updated_operations={each: operations[each] for each in changed},
            operations=operations,
        )

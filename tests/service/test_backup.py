"""D7: a backup taken while the service runs restores to where it was when it was taken."""

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service.deployment import deploy
from tests.service.stage import Stage
from tests.serving import client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]


def by_backup(source: Path, target: Path) -> None:
    """Copy a database by SQLite's backup interface, as the shell's ``.backup`` does."""
    with sqlite3.connect(source) as reading, sqlite3.connect(target) as writing:
        reading.backup(writing)


def by_vacuum(source: Path, target: Path) -> None:
    """Copy a database by a statement."""
    with sqlite3.connect(source) as reading:
        reading.execute("VACUUM INTO ?", (str(target),))


def by_shell(source: Path, target: Path) -> None:
    """Copy a database as docs/operating/backup-and-restore.md does."""
    shell = shutil.which("sqlite3")
    if shell is None:
        by_backup(source, target)
        return
    subprocess.run([shell, str(source), f".backup '{target}'"], check=True, timeout=60)


@contextmanager
def under_load(stage: Stage, arns: list[str]) -> Iterator[None]:
    """Start executions without a pause, and note their ARNs, while the block runs."""
    is_over = threading.Event()

    def load() -> None:
        while not is_over.is_set():
            arns.append(stage.start(["note", "load"], ["note", "load"]))

    loading = threading.Thread(target=load)
    loading.start()
    eventually(lambda: len(arns) >= 5, what="the load")
    try:
        yield
    finally:
        is_over.set()
        loading.join()


def executions(api: Any) -> set[str]:
    """Return the ARNs of all executions."""
    pages = api.get_paginator("list_durable_executions_by_function").paginate(FunctionName="actor")
    return {one["DurableExecutionArn"] for page in pages for one in page["DurableExecutions"]}


@pytest.mark.parametrize("copy", [by_backup, by_vacuum, by_shell])
def test_a_backup_of_a_running_service_goes_on(
    tmp_path: Path, copy: Callable[[Path, Path], None]
) -> None:
    data, backup = tmp_path / "data", tmp_path / "backup"
    backup.mkdir(mode=0o700)
    with serving(data, "--shutdown-seconds", "0.5") as server:
        api = client("lambda", server.url)
        deploy(api, "actor", "actor")
        stage = Stage(api, tmp_path, "actor")
        ended = stage.start(["note", "ended"])
        stage.result(ended)
        waiting = stage.start(["note", "before"], ["callback", "c"], ["note", "after"])
        sleeping = stage.start(["wait", 1], ["note", "slept"])
        stage.suspended(waiting)
        stage.suspended(sleeping)
        callback_id = stage.callback_id("c")

        arns: list[str] = []
        with under_load(Stage(client("lambda", server.url), tmp_path, "actor"), arns):
            copy(data / "state.db", backup / "state.db")
        shutil.copy(data / "secret.key", backup / "secret.key")
        # What came after the backup is not in it.
        late = stage.start(["note", "late"])
        stage.result(late)
        server.kill()

    with sqlite3.connect(backup / "state.db") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)

    with serving(backup) as server:
        api = client("lambda", server.url)
        restored = Stage(api, tmp_path, "actor")
        assert restored.result(ended) == ["ended"]
        assert restored.result(sleeping) == [None, "slept"]
        # The key came along: a callback id handed out before is still good.
        api.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"answer")
        assert restored.result(waiting) == ["before", "answer", "after"]
        assert restored.notes.count("before") == 1
        known = executions(api)
        assert late not in known
        assert arns[0] in known
        for arn in known & set(arns):
            assert restored.result(arn) == ["load", "load"]

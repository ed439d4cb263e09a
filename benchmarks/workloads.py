"""What is measured, one function a workload: it is given a server of its own and returns its
figures.
"""

import concurrent.futures
import contextlib
import json
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from tests.serving import ServerProcess, client, eventually

from benchmarks.functions import CALLBACK, ECHO, HOLD, RESUME, STEPS, create

Figures = dict[str, float]

STEP_COUNT = 1_000
CONNECTIONS = 32
CHECKPOINTS = 600
RESUMES = 30
COLD_STARTS = 15
WAITING = 10_000


def _result(answer: dict[str, Any]) -> Any:
    payload = answer["Payload"].read()
    if "FunctionError" in answer:
        raise RuntimeError(payload)
    return json.loads(payload)


def sequential_steps(server: ServerProcess) -> Figures:
    """W8: AWS's Python SDK unmodified, 1,000 sequential steps."""
    lambda_ = client("lambda", server.url, timeout=600)
    create(lambda_, "steps", STEPS)
    payload = json.dumps({"steps": STEP_COUNT})
    result = _result(lambda_.invoke(FunctionName="steps", Qualifier="$LATEST", Payload=payload))
    return {"ms_per_step": result["seconds"] * 1000 / STEP_COUNT}


def raw_checkpoints(server: ServerProcess) -> Figures:
    """Checkpoint calls over HTTP from a raw client, each durable before its answer."""
    lambda_ = client("lambda", server.url, timeout=600)
    with tempfile.TemporaryDirectory() as folder:
        create(lambda_, "hold", HOLD, Environment={"Variables": {"HOLD_FOLDER": folder}})
        for _ in range(CONNECTIONS):
            lambda_.invoke(FunctionName="hold", Qualifier="$LATEST", InvocationType="Event")

        def all_here() -> list[Path] | None:
            held = list(Path(folder).glob("*.json"))
            return held if len(held) == CONNECTIONS else None

        held = eventually(all_here, seconds=60, what="32 held executions")
        envelopes = [json.loads(path.read_text()) for path in held]
        executions = [(e["DurableExecutionArn"], e["CheckpointToken"]) for e in envelopes]
        output = subprocess.run(
            [sys.executable, "-m", "benchmarks.raw_client", str(server.port), str(CHECKPOINTS)],
            input=json.dumps(executions),
            capture_output=True,
            text=True,
            check=True,
        )
        (Path(folder) / "leave").touch()
    return json.loads(output.stdout)


def resume(server: ServerProcess) -> Figures:
    """From a wait's due time to the first line of the handler, with a warm worker."""
    lambda_ = client("lambda", server.url, timeout=600)
    create(lambda_, "resume", RESUME)
    late: list[float] = []
    for _ in range(RESUMES):
        answer = lambda_.invoke(FunctionName="resume", Qualifier="$LATEST", Payload="{}")
        entered_at_ms = _result(answer)["entered_at_ms"]
        history = lambda_.get_durable_execution_history(
            DurableExecutionArn=answer["DurableExecutionArn"]
        )
        wait = next(e for e in history["Events"] if e["EventType"] == "WaitStarted")
        due_at = wait["WaitStartedDetails"]["ScheduledEndTimestamp"].timestamp()
        late.append(entered_at_ms - due_at * 1000)
    return {"p50_ms": statistics.median(late), "max_ms": max(late)}


def cold_start(server: ServerProcess) -> Figures:
    """A synchronous invocation of an ordinary Python function: the first, and those after."""
    lambda_ = client("lambda", server.url, timeout=600)
    cold: list[float] = []
    warm: list[float] = []
    for number in range(COLD_STARTS):
        create(lambda_, f"echo-{number}", ECHO, is_durable=False)
        for taken in (cold, warm, warm, warm):
            began = time.perf_counter()
            _result(lambda_.invoke(FunctionName=f"echo-{number}", Payload="{}"))
            taken.append((time.perf_counter() - began) * 1000)
    return {"cold_p50_ms": statistics.median(cold), "warm_p50_ms": statistics.median(warm)}


def waiting(server: ServerProcess) -> Figures:
    """10,000 executions that wait on a callback: memory beside idle, disk each, and a restart."""
    lambda_ = client("lambda", server.url, timeout=600)
    create(lambda_, "callback", CALLBACK)

    def begin(_: int) -> None:
        lambda_.invoke(FunctionName="callback", Qualifier="$LATEST", InvocationType="Event")

    def is_settled(count: int) -> bool:
        connection = sqlite3.connect(f"file:{server.data}/state.db?mode=ro", uri=True)
        with contextlib.closing(connection):
            rows = connection.execute(
                "SELECT count(*) FROM execution WHERE lease_until_ms IS NULL"
                " AND ready_at_ms IS NULL AND status = 'RUNNING'"
            )
            return rows.fetchone()[0] == count

    begin(0)
    eventually(lambda: is_settled(1), seconds=30, what="the first suspension")
    before_kb = server.memory_kb()
    began = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(8) as pool:
        list(pool.map(begin, range(1, WAITING)))
    eventually(lambda: is_settled(WAITING), seconds=600, what="10,000 suspensions")
    seconds = time.perf_counter() - began
    grown_mb = (server.memory_kb() - before_kb) / 1024
    server.stop()
    bytes_each = (server.data / "state.db").stat().st_size / WAITING
    server.start()
    return {
        "suspended_per_second": WAITING / seconds,
        "memory_grown_mb": grown_mb,
        "disk_bytes_each": bytes_each,
        "restart_seconds": server.ready_seconds,
    }

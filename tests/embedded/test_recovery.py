"""A process is killed again and again, between and within steps; what it acknowledged goes on."""

import signal
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

from tests.embedded.stages import event_types, opened
from tests.embedded.traveller import EXECUTIONS, STEPS, journey, journey_async


def killed_after(count: int, file: Path, lines: Path, round_: int) -> list[str]:
    """Run the program until it has said ``count`` lines; return what it had acknowledged."""
    program = [sys.executable, "-m", "tests.embedded.traveller"]
    with subprocess.Popen(
        [*program, str(file), str(lines), str(round_)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        said = [process.stdout.readline() for _ in range(count)]
        process.kill()
        said += process.stdout.readlines()
    assert process.returncode == -signal.SIGKILL
    return [line.split()[1] for line in said if line.startswith("started")]


@pytest.mark.parametrize(
    "moments",
    [
        pytest.param((1, 2, 5, 9), id="early"),
        pytest.param((EXECUTIONS, 40, 60, 35), id="while steps run"),
        pytest.param((110, 90, 120), id="late"),
    ],
)
def test_no_recorded_step_runs_again_however_often_a_process_is_killed(
    tmp_path: Path, moments: tuple[int, ...]
) -> None:
    file, lines = tmp_path / "state.db", tmp_path / "lines"
    acknowledged: list[str] = []
    for round_, moment in enumerate(moments):
        acknowledged += killed_after(moment, file, lines, round_)
    stamps: dict[str, list[str]] = {}
    with opened(file, journey=journey, journey_async=journey_async) as service:
        for info in service.executions():
            handle = service.get(info.arn)
            stamps[info.name] = handle.result()
            assert event_types(handle).count("StepSucceeded") == STEPS
    assert set(acknowledged) <= set(stamps)

    reached: dict[str, int] = defaultdict(int)
    runs: dict[tuple[str, int], list[str]] = defaultdict(list)
    for line in lines.read_text().splitlines():
        name, number, before, stamp = line.split()
        # What it was given is what is recorded, whichever process ran the step before.
        assert before == stamps[name][int(number)], line
        # The next step has begun: this one was recorded, and must not run again.
        assert int(number) >= reached[name], line
        reached[name] = int(number)
        runs[name, int(number)].append(stamp)
    for (name, number), stamps_left in runs.items():
        assert stamps_left[-1] == stamps[name][number + 1]
        assert len(stamps_left) <= len(moments) + 1
    assert len(runs) == STEPS * len(stamps)

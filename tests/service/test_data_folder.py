"""Who starts in a data folder learns who was there before, once that one has ended."""

import signal
import subprocess
import sys
from pathlib import Path

from perdure.data_folder import occupy

FIRST, SECOND = "0123456789abcdef", "fedcba9876543210"
#: Occupies a folder, says so, and stays.
STAYS = """
import sys, pathlib
from perdure.data_folder import occupy
occupancy = occupy(pathlib.Path(sys.argv[1]))
occupancy.note(sys.argv[2])
print("there", flush=True)
sys.stdin.read()
"""


def test_an_empty_folder_had_nobody(tmp_path: Path) -> None:
    occupancy = occupy(tmp_path)
    assert occupancy.predecessor == ""
    occupancy.end()


def test_the_one_before_is_known_when_it_has_left(tmp_path: Path) -> None:
    for node_id, predecessor in ((FIRST, ""), (SECOND, FIRST), (FIRST, SECOND)):
        occupancy = occupy(tmp_path)
        assert occupancy.predecessor == predecessor
        occupancy.note(node_id)
        occupancy.end()


def test_who_never_came_to_life_leaves_the_name_of_the_one_before(tmp_path: Path) -> None:
    first = occupy(tmp_path)
    first.note(FIRST)
    first.end()
    occupy(tmp_path).end()
    assert occupy(tmp_path).predecessor == FIRST


def test_the_one_before_is_not_said_to_have_ended_while_it_lives(tmp_path: Path) -> None:
    """Not while its process is frozen either; but as soon as it was killed."""
    command = [sys.executable, "-c", STAYS, str(tmp_path), FIRST]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"there\n"
        process.send_signal(signal.SIGSTOP)
        intruder = occupy(tmp_path)
        assert intruder.predecessor == ""
        intruder.note(SECOND)
        intruder.end()
        process.kill()
        process.wait()
    assert occupy(tmp_path).predecessor == FIRST


def test_what_is_no_name_is_nobody(tmp_path: Path) -> None:
    (tmp_path / "node").write_text("something else")
    assert occupy(tmp_path).predecessor == ""

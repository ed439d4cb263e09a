"""A process's memory, as the kernel tells: read, and believed for a while."""

import os

from perdure.runtime.process_memory import ProcessMemory


def test_what_was_read_is_believed_for_as_long_as_was_said():
    memory = ProcessMemory(believed_seconds=0.1)
    memory.watch(os.getpid())
    most = memory.most_bytes(now=5.0)
    memory.close()
    assert most > 0
    assert memory.most_bytes(now=5.05) == most
    assert memory.most_bytes(now=5.1) == 0


def test_it_is_read_each_time_unless_said_otherwise():
    memory = ProcessMemory()
    memory.watch(os.getpid())
    assert memory.most_bytes(now=5.0) > 0
    memory.close()
    assert memory.most_bytes(now=5.0) == 0

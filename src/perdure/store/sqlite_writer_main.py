"""The writer process: reads work, commits it in groups, answers. It ends when the server's end of
the socket does.
"""

import contextlib
import signal
import socket
import sys
from pathlib import Path
from typing import Final

from perdure.store.protocol import StoreUnknownError
from perdure.store.sqlite_commits import Commits
from perdure.store.sqlite_frames import Frames, decode_works, encode_answers
from perdure.store.sqlite_schema import connect

__all__ = ["main"]

_READ_BYTES: Final = 1 << 20


def main(path: str, handle: str) -> int:
    """Serve until the socket ends; return the exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    connection = connect(Path(path), is_writer=True)
    commits, frames = Commits(connection), Frames()
    with socket.socket(fileno=int(handle)) as server:
        while data := server.recv(_READ_BYTES):
            # What has arrived together is committed together, and answered frame by frame.
            parts = [decode_works(frame) for frame in frames.feed(data)]
            if not parts:
                continue
            answers = commits.commit([work for part in parts for work in part])
            is_broken = any(isinstance(answer, StoreUnknownError) for answer in answers)
            for part in parts:
                server.sendall(encode_answers(answers[: len(part)]))
                del answers[: len(part)]
            if is_broken:
                return 1
    connection.close()
    return 0


if __name__ == "__main__":
    # A server that was killed takes no answers; what was committed is committed all the same.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        sys.exit(main(*sys.argv[1:]))

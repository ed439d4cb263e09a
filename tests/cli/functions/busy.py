"""A function that runs until it is killed."""

import sys
import threading


def handler(event: object, context: object) -> None:
    sys.stdout.write("busy now\n")
    sys.stdout.flush()
    threading.Event().wait()

"""Ways to fail that several handlers share."""

import os
import sys
from typing import NoReturn


class TransientError(Exception):
    """An error that a retry strategy may tell from others."""


def crash() -> NoReturn:
    """End the process at once, as a crash would, but with its output written."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(1)

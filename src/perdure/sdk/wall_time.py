"""The wall's time, for what a handler's plugins are told and for when the service is asked. Nothing
that is recorded depends on it.
"""

import time

__all__ = ["now_ms"]


def now_ms() -> int:
    """Return the milliseconds since the epoch."""
    return time.time_ns() // 1_000_000

"""Spans of time as handlers give them.

A ``Duration`` holds whole seconds, as AWS's does, and beside them the milliseconds that AWS's
drops. Whatever AWS's service takes is made of the seconds; only Perdure's own service is offered
the rest, by whoever asks for ``to_milliseconds``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

from perdure.sdk.exceptions import ValidationError
from perdure.sdk.records import member, record

if TYPE_CHECKING:
    from typing import Self

__all__ = ["Duration", "DurationLike", "as_duration"]

_MILLISECOND: Final = timedelta(milliseconds=1)
_MILLISECONDS_A_SECOND: Final = 1000


@record
class Duration:
    """A span of time, not negative: ``seconds`` and ``milliseconds`` (0 to 999) added up.

    Raises:
        ValidationError: the span is negative.
    """

    seconds: int = 0
    milliseconds: int = member(default=0, kw_only=True)

    def __post_init__(self) -> None:
        """Carry a fraction of ``seconds``, and whole seconds of ``milliseconds``, over."""
        total = _milliseconds(self.seconds) + round(self.milliseconds)
        if total < 0:
            raise ValidationError("Duration seconds must be positive")
        seconds, milliseconds = divmod(total, _MILLISECONDS_A_SECOND)
        self.__dict__.update(seconds=seconds, milliseconds=milliseconds)

    def to_seconds(self) -> int:
        """Return the whole seconds; a fraction is dropped, as AWS does."""
        return self.seconds

    def to_milliseconds(self) -> int:
        """Return the whole span in milliseconds."""
        return self.seconds * _MILLISECONDS_A_SECOND + self.milliseconds

    def to_timedelta(self) -> timedelta:
        """Return the same span as a ``timedelta``."""
        return timedelta(seconds=self.seconds, milliseconds=self.milliseconds)

    @classmethod
    def from_milliseconds(cls, value: float) -> Self:
        """Return a span of so many milliseconds."""
        return cls(milliseconds=round(value))

    @classmethod
    def from_seconds(cls, value: float) -> Self:
        """Return a span of so many seconds."""
        return cls(value)  # pyright: ignore[reportArgumentType]  # fractions are carried over

    @classmethod
    def from_minutes(cls, value: float) -> Self:
        """Return a span of so many minutes."""
        return cls.from_seconds(value * 60)

    @classmethod
    def from_hours(cls, value: float) -> Self:
        """Return a span of so many hours."""
        return cls.from_seconds(value * 3600)

    @classmethod
    def from_days(cls, value: float) -> Self:
        """Return a span of so many days."""
        return cls.from_seconds(value * 86400)

    @classmethod
    def from_timedelta(cls, value: timedelta) -> Self:
        """Return the same span as ``value``, to the millisecond."""
        return cls(milliseconds=value // _MILLISECOND)


#: What is taken wherever a span of time is: a number is in seconds.
DurationLike: TypeAlias = Duration | timedelta | int | float


def as_duration(value: DurationLike) -> Duration:
    """Return ``value`` as a Duration.

    Raises:
        ValidationError: it is negative, or no span of time.
    """
    if isinstance(value, Duration):
        return value
    if isinstance(value, timedelta):
        return Duration.from_timedelta(value)
    # A handler may be untyped, and AWS's takes nothing but a Duration.
    if not isinstance(value, int | float) or isinstance(value, bool):  # pyright: ignore[reportUnnecessaryIsInstance]
        raise ValidationError(
            f"duration must be a Duration, a timedelta or a number of seconds, got: {value!r}"
        )
    return Duration.from_seconds(value)


def _milliseconds(seconds: float) -> int:
    """Return ``seconds`` in milliseconds, with the whole seconds that AWS makes of it.

    AWS drops a fraction whatever its sign: -0.5 is nothing, and no error.
    """
    whole = int(seconds)
    part = round((seconds - whole) * _MILLISECONDS_A_SECOND)
    return whole * _MILLISECONDS_A_SECOND + min(max(part, 0), _MILLISECONDS_A_SECOND - 1)

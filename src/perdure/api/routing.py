"""From a method and a raw path to the call that is meant, and the labels in the path.

The path is split before it is decoded, so that ``%2F`` is part of a label and ``/`` is not. Names
of executions and callbacks hold ``/`` themselves; where a client leaves it as it is, what stands
between the beginning and the end of the template is taken for the label.
"""

from dataclasses import dataclass, field
from typing import Final, Generic, NamedTuple, TypeVar
from urllib.parse import unquote_to_bytes

from perdure.core.errors import InvalidParameterValue

__all__ = ["Match", "Router"]

#: Collections whose members' names hold slashes, and what may follow such a name.
_SLASHED: Final = {
    b"durable-executions": (b"checkpoint", b"state", b"history", b"stop", b"pause", b"resume"),
    b"durable-execution-callbacks": (b"succeed", b"fail", b"heartbeat"),
}
_KNOWN_MAX: Final = 1_024
_PLAIN_SEGMENTS_MAX: Final = 4  #: ``/DATE/COLLECTION/NAME/ACTION``

Target = TypeVar("Target")


class Match(NamedTuple, Generic[Target]):
    """A call that was found."""

    target: Target
    labels: dict[str, str]


@dataclass(slots=True)
class _Branch(Generic[Target]):
    """What may follow a segment."""

    literals: "dict[bytes, _Branch[Target]]" = field(default_factory=dict[bytes, "_Branch[Target]"])
    label: "tuple[str, _Branch[Target]] | None" = None
    targets: dict[str, Target] = field(default_factory=dict[str, Target])


class Router(Generic[Target]):
    """Finds calls by the place in their URI templates."""

    def __init__(self) -> None:
        """Begin without a call."""
        self._root: _Branch[Target] = _Branch()
        self._known: dict[tuple[str, bytes], Match[Target]] = {}

    def add(self, method: str, template: str, target: Target) -> None:
        """Lead requests of ``method`` for ``template`` to ``target``; the first one counts."""
        branch = self._root
        for segment in template.strip("/").split("/"):
            if segment.startswith("{"):
                if branch.label is None:
                    branch.label = (segment.strip("{}"), _Branch())
                branch = branch.label[1]
            else:
                branch = branch.literals.setdefault(segment.encode(), _Branch())
        branch.targets.setdefault(method, target)

    def find(self, method: str, path: bytes) -> Match[Target] | None:
        """Return the call that is meant, or None.

        Raises:
            InvalidParameterValue: a label is not UTF-8 once decoded.
        """
        known = self._known.get((method, path))
        if known is not None:  # an execution's checkpoints all have one path
            return known
        branch, labels = self._root, dict[str, str]()
        for segment in _segments(path):
            following = branch.literals.get(segment)
            if following is not None:
                branch = following
            elif branch.label is not None:
                name, branch = branch.label
                labels[name] = _decoded(segment)
            else:
                return None
        target = branch.targets.get(method)
        if target is None:
            return None
        if len(self._known) >= _KNOWN_MAX:
            self._known.clear()
        found = self._known[method, path] = Match(target, labels)
        return found


def _segments(path: bytes) -> list[bytes]:
    segments = path.split(b"/")[1:]
    if len(segments) > 1 and not segments[-1]:
        segments.pop()
    if len(segments) > _PLAIN_SEGMENTS_MAX - 1 and segments[1] in _SLASHED:
        begin, name = segments[:2], segments[2:]
        end = [name.pop()] if name[-1] in _SLASHED[segments[1]] else []
        return [*begin, b"/".join(name), *end]
    return segments


def _decoded(segment: bytes) -> str:
    try:
        return unquote_to_bytes(segment).decode() if b"%" in segment else segment.decode()
    except UnicodeDecodeError:
        raise InvalidParameterValue("the path is not UTF-8 once decoded") from None

"""What nodes tell each other, and how an engine listens: topics, and who hears of which.

Every message is a hint. What it is about is in the store, and whoever missed it finds it there a
little later.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

from perdure.store.hints import LOST, Hints

__all__ = ["Hearsay", "Topic"]


class Topic(StrEnum):
    """What a hint is about."""

    READY = "ready"  #: executions are ready that their node has no room for; no keys
    KEPT = (
        "kept"  #: the executions of these ARNs are ready: whoever keeps their handlers goes first
    )
    ENDED = "ended"  #: the executions of these ids have ended
    CANCEL = "cancel"  #: the invocations ``id:epoch`` run for nothing
    LETTERS = "letters"  #: there are letters whose node will not deliver them; no keys
    FUNCTIONS = "functions"  #: functions were changed; no keys
    NODES = "nodes"  #: a node has come, or goes; no keys


class Hearsay:
    """Tells the other nodes, if there are any, and passes on what they tell."""

    def __init__(self, hints: Hints) -> None:
        """Talk through ``hints``."""
        self.is_alone = False  #: nobody else is known: then nothing is said
        self._hints = hints
        self._ears: dict[str, list[Callable[[tuple[str, ...]], None]]] = {}
        hints.subscribe(self._hear)

    def tell(self, topic: Topic, keys: Sequence[str] = ()) -> None:
        """Tell the other nodes; what has no keys is told under an empty one."""
        if not self.is_alone:
            self._hints.publish(topic, keys or ("",))

    def listen(self, topic: Topic, ear: Callable[[tuple[str, ...]], None]) -> None:
        """Have ``ear`` hear the keys of a topic; none, also, when hints may have been lost."""
        self._ears.setdefault(topic, []).append(ear)

    def _hear(self, topic: str, keys: tuple[str, ...]) -> None:
        heard = self._ears if topic == LOST else (topic,)
        for each in heard:
            for ear in self._ears.get(each, ()):
                ear(keys)

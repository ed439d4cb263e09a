"""A parking keeps so many handlers; who was parked first leaves first."""

import pytest

from perdure.sdk import parking
from perdure.sdk.parking import Parking, process_parking


class Handler:
    """A handler at rest."""

    is_gone = False

    def discard(self) -> None:
        """Be let go."""
        self.is_gone = True


def test_a_handler_is_taken_once() -> None:
    kept, handler = Parking(1), Handler()
    kept.put("a", handler)

    assert len(kept) == 1
    assert kept.take("a") is handler
    assert kept.take("a") is None
    assert len(kept) == 0


def test_who_was_parked_first_leaves_first() -> None:
    kept = Parking(2)
    first, second, third = Handler(), Handler(), Handler()

    assert kept.put("a", first) == []
    assert kept.put("b", second) == []
    assert kept.put("c", third) == [("a", first)]
    assert not first.is_gone, "whoever has put another is to discard it"
    assert kept.take("a") is None


def test_who_is_parked_again_is_the_last_to_leave() -> None:
    kept = Parking(2)
    first, second = Handler(), Handler()
    kept.put("a", first)
    kept.put("b", second)
    again = kept.take("a")
    assert again is not None
    kept.put("a", again)

    assert kept.put("c", Handler()) == [("b", second)]


def test_of_two_handlers_of_one_execution_neither_is_kept() -> None:
    kept, first, second = Parking(2), Handler(), Handler()
    kept.put("a", first)

    assert kept.put("a", second) == [("a", first), ("a", second)]
    assert kept.take("a") is None


def test_all_are_let_go() -> None:
    kept, handlers = Parking(2), [Handler(), Handler()]
    for number, handler in enumerate(handlers):
        kept.put(f"{number}", handler)

    kept.clear()

    assert len(kept) == 0
    assert all(handler.is_gone for handler in handlers)


@pytest.mark.parametrize(
    ("text", "places"),
    [(None, None), ("", None), ("0", None), ("-1", None), ("many", None), ("3", 3)],
)
def test_the_environment_says_how_many_a_process_keeps(
    text: str | None, places: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parking, "_process", [])
    monkeypatch.delenv("PERDURE_KEEP_HANDLERS", raising=False)
    if text is not None:
        monkeypatch.setenv("PERDURE_KEEP_HANDLERS", text)

    kept = process_parking()

    assert process_parking() is kept, "it is asked once"
    if places is None:
        assert kept is None
    else:
        assert kept is not None
        assert [kept.put(f"{n}", Handler()) for n in range(places)] == [[]] * places
        assert len(kept.put("more", Handler())) == 1

"""Lines are cut where they end, and nothing unbounded is held."""

from perdure.runtime.log_lines import TAIL_BYTES, LineCutter, Tail, iso_time, stream_name


def cut(*pieces: bytes, line_bytes_max: int = 10) -> list[bytes]:
    cutter = LineCutter(line_bytes_max)
    return [line for piece in pieces for line in cutter.feed(piece)] + list(cutter.flush())


def test_lines_are_the_same_however_they_arrive() -> None:
    text = b"one\n\ntwo\nlast"
    assert cut(text) == [b"one", b"", b"two", b"last"]
    assert cut(*(bytes([byte]) for byte in text)) == [b"one", b"", b"two", b"last"]


def test_a_long_line_becomes_several() -> None:
    assert cut(b"0123456789abc\nx") == [b"0123456789", b"abc", b"x"]
    assert cut(b"0123", b"456789", b"abc") == [b"0123456789", b"abc"]


def test_a_line_without_end_is_held_up_to_the_limit() -> None:
    cutter = LineCutter(1_000)
    held = [len(line) for _ in range(1_000) for line in cutter.feed(b"x" * 64_000)]
    assert set(held) == {1_000}
    assert sum(map(len, cutter.flush())) <= 1_000


def test_a_tail_starts_with_a_whole_character() -> None:
    tail = Tail()
    tail.add("é".encode() * 5_000 + b"!")
    kept = tail.bytes()
    assert len(kept) == TAIL_BYTES - 1
    assert kept.decode() == "é" * 2_047 + "!"


def test_a_short_tail_is_whole() -> None:
    tail = Tail()
    for _ in range(3):
        tail.add(b"abc\n")
    assert tail.bytes() == b"abc\nabc\nabc\n"


def test_instants_and_streams_are_written_as_awss() -> None:
    assert iso_time(1_700_000_000_007) == "2023-11-14T22:13:20.007Z"
    name = stream_name("7", at_ms=1_700_000_000_007, token="0" * 32)
    assert name == "2023/11/14/[7]" + "0" * 32

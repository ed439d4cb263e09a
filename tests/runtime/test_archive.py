"""Archives nobody vouches for: what is refused, and that nothing is written when it is."""

import io
import os
import stat
import struct
import subprocess
import sys
import time
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from perdure.runtime.archive import check_archive, extract_archive
from perdure.runtime.errors import BadArchiveError

LOCAL = struct.Struct("<4s5H3L2H")
CENTRAL = struct.Struct("<4s6H3L5H2L")
END = struct.Struct("<4s4H2LH")


class Entry:
    """One entry, with every field free to lie."""

    def __init__(self, name: str | bytes = "app.py", content: bytes = b"x = 1\n", **lies: object):
        self.name = name.encode() if isinstance(name, str) else name
        self.method: int = lies.get("method", 8)  # type: ignore[assignment]
        packer = zlib.compressobj(9, zlib.DEFLATED, -15)
        deflated = packer.compress(content) + packer.flush()
        self.data: bytes = lies.get("data", deflated if self.method == 8 else content)  # type: ignore[assignment]
        self.size: int = lies.get("size", len(content))  # type: ignore[assignment]
        self.packed: int = lies.get("packed", len(self.data))  # type: ignore[assignment]
        self.crc: int = lies.get("crc", zlib.crc32(content))  # type: ignore[assignment]
        self.flags: int = lies.get("flags", 0x800)  # type: ignore[assignment]
        self.mode: int = lies.get("mode", 0o100644)  # type: ignore[assignment]
        self.made_by: int = lies.get("made_by", 3)  # type: ignore[assignment]
        self.disk: int = lies.get("disk", 0)  # type: ignore[assignment]
        self.extra: bytes = lies.get("extra", b"")  # type: ignore[assignment]
        self.local_name: bytes = lies.get("local_name", self.name)  # type: ignore[assignment]
        self.local_size: int = lies.get("local_size", self.size)  # type: ignore[assignment]
        self.local_method: int = lies.get("local_method", self.method)  # type: ignore[assignment]
        self.local_extra: bytes = lies.get("local_extra", b"")  # type: ignore[assignment]
        self.at: int | None = lies.get("at")  # type: ignore[assignment]

    def local(self) -> bytes:
        head = LOCAL.pack(
            b"PK\x03\x04", 20, self.flags, self.local_method, 0, 33, self.crc, self.packed,
            self.local_size, len(self.local_name), len(self.local_extra),
        )  # fmt: skip
        return head + self.local_name + self.local_extra + self.data

    def central(self, at: int) -> bytes:
        head = CENTRAL.pack(
            b"PK\x01\x02", self.made_by << 8 | 20, 20, self.flags, self.method, 0, 33, self.crc,
            self.packed, self.size, len(self.name), len(self.extra), 0, self.disk, 0,
            self.mode << 16, at if self.at is None else self.at,
        )  # fmt: skip
        return head + self.name + self.extra


def an_archive(*entries: Entry, **lies: int) -> bytes:
    body, places = b"", []
    for entry in entries:
        places.append(len(body))
        body += entry.local()
    central = b"".join(e.central(at) for e, at in zip(entries, places, strict=True))
    count = lies.get("count", len(entries))
    end = END.pack(
        b"PK\x05\x06", lies.get("disk", 0), 0, lies.get("here", count), count,
        lies.get("central_size", len(central)), lies.get("central_at", len(body)), 0,
    )  # fmt: skip
    return body + central + lies.get("between", b"") + end + lies.get("after", b"")  # type: ignore[operator]


def named(name: str | bytes) -> Callable[[], bytes]:
    return lambda: an_archive(Entry(), Entry(name))


def one(**lies: object) -> Callable[[], bytes]:
    return lambda: an_archive(Entry(**lies))  # type: ignore[arg-type]


def overlapping() -> bytes:
    """Two entries that share one deflated block, as in the better bombs."""
    inner = Entry("b", b"0" * 1000)
    outer = Entry("a", inner.local(), method=0)
    return an_archive(outer, Entry("b", b"0" * 1000, at=LOCAL.size + 1))


LARGE = 251 * 1_048_576
ZIP64 = struct.pack("<HHQQ", 1, 16, 6, 8)
HOSTILE: dict[str, tuple[Callable[[], bytes], str]] = {
    "nothing": (lambda: b"", "not a zip"),
    "no archive": (lambda: b"not a zip at all", "not a zip"),
    "cut short": (lambda: an_archive(Entry())[:-5], "not a zip"),
    "something behind": (lambda: an_archive(Entry(), after=b"tail"), "after the end"),  # type: ignore[arg-type]
    "absolute": (named("/etc/passwd"), "not a relative path"),
    "two slashes": (named("//etc/passwd"), "not a relative path"),
    "parent": (named("../x"), "not a relative path"),
    "parent inside": (named("a/../../x"), "not a relative path"),
    "parent at the end": (named("a/.."), "not a relative path"),
    "dot": (named("./x"), "not a relative path"),
    "empty component": (named("a//x"), "not a relative path"),
    "no name": (named(""), "not a relative path"),
    "a slash alone": (named("/"), "not a relative path"),
    "backslash": (named("..\\x"), "a character"),
    "drive": (named("C:/x"), "not a relative path"),
    "drive without a slash": (named("c:x"), "not a relative path"),
    "NUL": (named("a\0.py"), "a character"),
    "line end": (named("a\n.py"), "a character"),
    "escape": (named("\x1b[2Ja"), "a character"),
    "right to left": (named("a\u202egp.py"), "a character"),
    "not UTF-8": (named(b"\xff\xfe"), "not UTF-8"),
    "name of 2,000 bytes": (named("a/" * 1000 + "x"), "limit is 1024"),
    "component of 300 bytes": (named("a" * 300), "over 255 bytes"),
    "51 deep": (named("/".join("a" * 51)), "51 deep"),
    "twice": (named("app.py"), "there twice"),
    "twice but for case": (named("APP.py"), "there twice"),
    "twice in Unicode": (lambda: an_archive(Entry("straße"), Entry("STRASSE")), "there twice"),
    "file as folder": (named("app.py/x"), "both a file and a folder"),
    "symbolic link": (one(mode=stat.S_IFLNK | 0o777), "is no file"),
    "device": (one(mode=stat.S_IFBLK | 0o600), "is no file"),
    "fifo": (one(mode=stat.S_IFIFO | 0o600), "is no file"),
    "socket": (one(mode=stat.S_IFSOCK | 0o600), "is no file"),
    "folder's mode on a file": (one(mode=stat.S_IFDIR | 0o755), "is no file"),
    "setuid": (one(mode=0o104755), "setuid"),
    "setgid": (one(mode=0o102755), "setuid or setgid"),
    "folder with content": (
        lambda: an_archive(Entry("d/", b"x" * 50, mode=0o040755)),
        "folder with content",
    ),
    "encrypted": (one(flags=0x801), "encrypted"),
    "strongly encrypted": (one(flags=0x841), "encrypted"),
    "masked headers": (one(flags=0x2801), "encrypted"),
    "bzip2": (one(method=12), "method 12"),
    "a patch": (one(flags=0x820), "method 8"),
    "on another disk": (one(disk=1), "archive in several"),
    "of several disks": (lambda: an_archive(Entry(), disk=1), "archive in several"),
    "count differs here": (lambda: an_archive(Entry(), here=0), "archive in several"),
    "more than it says": (lambda: an_archive(Entry("a"), Entry("b"), count=1), "holds more"),
    "fewer than it says": (lambda: an_archive(Entry(), count=2), "damaged"),
    "20,001 entries": (lambda: an_archive(Entry(), count=20_001), "limit is 20000"),
    "directory elsewhere": (lambda: an_archive(Entry(), central_at=3), "not where it says"),
    "directory of the wrong size": (lambda: an_archive(Entry(), central_size=9), "not where"),
    "zip64 by its marks": (lambda: an_archive(Entry(), central_at=0xFFFFFFFF), "zip64"),
    "zip64 by its count": (lambda: an_archive(Entry(), count=0xFFFF), "zip64"),
    "zip64 locator": (
        lambda: an_archive(Entry(), between=b"PK\x06\x07" + b"\0" * 16),  # type: ignore[arg-type]
        "zip64",
    ),
    "zip64 size": (one(size=0xFFFFFFFF, extra=ZIP64), "extra field"),
    "zip64 lie in the local header": (
        one(packed=8, local_size=0xFFFFFFFF, local_extra=ZIP64),
        "other sizes",
    ),
    "name in an extra field": (one(extra=struct.pack("<HH", 0x7075, 0)), "extra field"),
    "damaged extra field": (one(extra=struct.pack("<HH", 1, 99)), "damaged extra"),
    "other name inside": (one(local_name=b"../x.p"), "something else"),
    "other method inside": (one(local_method=0), "something else"),
    "other size inside": (one(local_size=7), "other sizes"),
    "beyond the end": (one(at=10_000_000), "not where"),
    "into the directory": (
        lambda: an_archive(Entry(packed=60)),
        "reaches into the central directory",
    ),
    "overlapping": (overlapping, "overlaps"),
    "one entry twice": (lambda: an_archive(Entry("a"), Entry("b", at=0)), "something else"),
    "declares too little": (
        lambda: an_archive(Entry("a", b"0" * 100_000, size=10)),
        "more than the 10 bytes",
    ),
    "declares too much": (one(size=7), "size or checksum"),
    "wrong checksum": (one(crc=1), "size or checksum"),
    "data cut short": (one(data=b"\x03", crc=0, size=0), "ends early or late"),
    "data with a tail": (one(data=b"\x03\0more", crc=0, size=0), "ends early or late"),
    "not deflated": (one(data=b"\xff" * 20), "damaged"),
    "stored in two sizes": (one(method=0, size=9), "two sizes"),
    "ratio of 1,000": (lambda: an_archive(Entry("a", b"0" * 2_000_000)), "200 times"),
    "251 MB declared": (one(size=LARGE, local_size=LARGE, data=b"0" * 2_000_000), "262144000"),
    "51 MB zipped": (lambda: b"\0" * (51 * 1_048_576), "limit is 52428800"),
}


@pytest.mark.parametrize(("make", "problem"), HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_archive_is_refused_and_writes_nothing_outside(
    tmp_path: Path, make: Callable[[], bytes], problem: str
) -> None:
    data = make()
    with pytest.raises(BadArchiveError) as refusal:
        check_archive(data)
    assert problem in refusal.value.problem
    target = tmp_path / "in" / "side"
    target.mkdir(parents=True)
    with pytest.raises(BadArchiveError):
        extract_archive(data, target)
    assert [path.name for path in tmp_path.iterdir()] == ["in"]
    assert [path.name for path in target.parent.iterdir()] == ["side"]
    assert not any(path.is_symlink() for path in target.rglob("*"))


def test_the_corpus_is_large_enough() -> None:
    assert len(HOSTILE) >= 40


BOMB = """
import sys, time
from perdure.runtime.archive import check_archive
from perdure.runtime.errors import BadArchiveError
data = open(sys.argv[1], "rb").read()
started = time.monotonic()
try:
    check_archive(data)
except BadArchiveError:
    seconds = time.monotonic() - started
    status = open("/proc/self/status").read()
    print(seconds, status.partition("VmHWM:")[2].split()[0])
"""


@pytest.mark.parametrize("lie", [False, True], ids=["honest", "lying"])
def test_a_bomb_of_500_mb_is_refused_fast_and_small(tmp_path: Path, lie: bool) -> None:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    data = b"".join(packer.compress(b"\0" * 1_048_576) for _ in range(500)) + packer.flush()
    size = 1_000_000 if lie else 500 * 1_048_576
    bomb = an_archive(Entry("bomb", data=data, size=size, local_size=size, crc=0))
    (tmp_path / "bomb.zip").write_bytes(bomb)
    done = subprocess.run(
        [sys.executable, "-c", BOMB, tmp_path / "bomb.zip"],
        check=True,
        capture_output=True,
    )
    seconds, peak_kb = map(float, done.stdout.split())
    assert seconds < 1
    assert peak_kb < 50 * 1024


def test_an_ordinary_archive_is_written_as_it_is_and_read_only(tmp_path: Path) -> None:
    buffer = io.BytesIO()
    noise = os.urandom(300_000)
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("empty/", b"")
        archive.writestr("pkg/太郎.py", "x = 1\n", zipfile.ZIP_DEFLATED)
        archive.writestr("noise", noise, zipfile.ZIP_STORED)
        archive.writestr("zeros", b"\0" * 1_000_000, zipfile.ZIP_DEFLATED)
        with archive.open(zipfile.ZipInfo("streamed"), "w", force_zip64=True) as file:
            file.write(b"of unknown size")
        tool = zipfile.ZipInfo("bin/tool")
        tool.external_attr = 0o100777 << 16
        archive.writestr(tool, "#!/bin/sh\n")
    check_archive(buffer.getvalue())
    extract_archive(buffer.getvalue(), tmp_path)
    found = {
        str(path.relative_to(tmp_path)): (oct(path.stat().st_mode & 0o7777), path.read_bytes())
        for path in tmp_path.rglob("*")
        if path.is_file()
    }
    assert found == {
        "pkg/太郎.py": ("0o444", b"x = 1\n"),
        "noise": ("0o444", noise),
        "zeros": ("0o444", b"\0" * 1_000_000),
        "streamed": ("0o444", b"of unknown size"),
        "bin/tool": ("0o555", b"#!/bin/sh\n"),
    }
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_dir()} == {0o555}
    assert (tmp_path / "empty").is_dir()


class Pipe(io.RawIOBase):
    """A file that cannot seek, so that a writer leaves sizes behind the data."""

    def __init__(self) -> None:
        self.data = b""

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self.data += bytes(data)
        return len(data)


def test_an_archive_written_to_a_pipe_is_read(tmp_path: Path) -> None:
    pipe = Pipe()
    with zipfile.ZipFile(pipe, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("app.py", "x = 1\n")
    extract_archive(pipe.data, tmp_path)
    assert (tmp_path / "app.py").read_text() == "x = 1\n"


def test_20_000_files_are_checked_in_a_moment() -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(20_000):
            archive.writestr(f"d{number % 100}/f{number}", b"")
    started = time.monotonic()
    check_archive(buffer.getvalue())
    assert time.monotonic() - started < 5

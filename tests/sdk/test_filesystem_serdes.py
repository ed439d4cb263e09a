"""Values in files are AWS's, whole, and nowhere else than they should be."""

import dataclasses
import errno
import hashlib
import json
import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aws_durable_execution_sdk_python.filesystem_serdes as aws
import pytest
from aws_durable_execution_sdk_python.serdes import SerDesContext as AwsSerDesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from perdure import filesystem_serdes as door
from perdure.sdk import filesystem_serdes as ours
from perdure.sdk.exceptions import RetryableSerDesError, SerDesError
from perdure.sdk.filesystem_serdes import (
    FileSystemPathEncoding,
    FileSystemSerDes,
    FileSystemSerDesConfig,
    FileSystemSerDesMode,
)
from perdure.sdk.preview import PreviewConfig, PreviewField, PreviewMode, build_preview
from perdure.sdk.serdes import (
    EXTENDED_TYPES_SERDES,
    PASS_THROUGH_SERDES,
    SerDesContext,
    deserialize,
    serialize,
)
from tests.sdk.serdes_samples import Customer
from tests.sdk.test_serdes import VALUES

ARN = (
    "arn:aws:lambda:us-east-1:123456789012:function:shop:$LATEST/durable-execution/order-1/7d0c9a4e"
)
CONTEXT = SerDesContext("1-2", ARN)
HASH = FileSystemPathEncoding.HASH
OVERFLOW = FileSystemSerDesMode.OVERFLOW
BASES = ["store", "store/", "deep/er/store"]
ARNS = st.sampled_from([ARN, "", "arn", "..x", "arn:aws:lambda/ü?*", f"{ARN}/more", f"{ARN}\n"])
IDS = st.sampled_from(["1", "1-2-3", "", ".", "..", "../../x", "/etc/passwd", "a b%ü", "\\"])


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The directory in which all happens."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _serdes(**settings: Any) -> FileSystemSerDes:
    return FileSystemSerDes("store", FileSystemSerDesConfig(**settings))


def _files(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    VALUES,
    st.sampled_from(BASES),
    st.sampled_from([*FileSystemSerDesMode]),
    st.sampled_from([*FileSystemPathEncoding]),
    ARNS,
    IDS,
    st.booleans(),
)
def test_envelopes_and_files_are_awss_and_each_reads_the_other(  # noqa: PLR0913 - what varies
    value: object, base: str, mode: str, encoding: str, arn: str, operation_id: str, shown: bool
) -> None:
    def preview(value: object) -> dict[str, Any] | None:
        return {"kind": type(value).__name__} if shown else None

    mine = FileSystemSerDes(
        base,
        FileSystemSerDesConfig(
            FileSystemSerDesMode(mode), FileSystemPathEncoding(encoding), preview
        ),
    )
    theirs = aws.FileSystemSerDes(
        base,
        aws.FileSystemSerDesConfig(
            aws.FileSystemSerDesMode(mode), aws.FileSystemPathEncoding(encoding), preview
        ),
    )
    context, their_context = SerDesContext(operation_id, arn), AwsSerDesContext(operation_id, arn)
    envelope = mine.serialize(value, context)
    read_by_them = repr(theirs.deserialize(envelope, their_context))
    assert theirs.serialize(value, their_context) == envelope
    assert repr(mine.deserialize(envelope, context)) == read_by_them


def test_a_file_is_named_after_its_execution_and_operation(folder: Path) -> None:
    envelope = json.loads(_serdes().serialize({"a": 1}, CONTEXT))
    assert envelope == {"file": "store/shop/order-1/7d0c9a4e/1-2.json"}
    assert (folder / envelope["file"]).read_text() == EXTENDED_TYPES_SERDES.serialize(
        {"a": 1}, CONTEXT
    )


def test_names_may_be_hashed(folder: Path) -> None:
    _serdes(path_encoding=HASH).serialize(1, CONTEXT)
    directory, name = (hashlib.sha256(text.encode()).hexdigest() for text in (ARN, "1-2"))
    assert _files(folder) == [f"store/{directory}/{name}.json"]


@pytest.mark.parametrize("size", [261_104, 261_105])
def test_what_fits_into_a_checkpoint_stays_there(folder: Path, size: int) -> None:
    serdes, theirs = (
        _serdes(storage_mode=OVERFLOW),
        aws.FileSystemSerDesConfig(storage_mode=aws.FileSystemSerDesMode.OVERFLOW),
    )
    envelope = serdes.serialize("x" * size, CONTEXT)
    assert (list(json.loads(envelope)), len(_files(folder))) == (
        (["data"], 0) if size == 261_104 else (["file"], 1)
    )
    their_serdes = aws.FileSystemSerDes("store", theirs)
    assert their_serdes.serialize("x" * size, AwsSerDesContext("1-2", ARN)) == envelope
    assert serdes.deserialize(envelope, CONTEXT) == "x" * size


def test_some_fields_may_stay_in_the_checkpoint() -> None:
    config = PreviewConfig(PreviewMode.EXCLUDE_ALL, include=[PreviewField("name")])
    serdes = _serdes(generate_preview=lambda value: build_preview(value, config))
    envelope = json.loads(serdes.serialize(Customer(name="ann"), CONTEXT))
    assert envelope["preview"] == {"name": "ann"}
    assert serdes.deserialize(json.dumps(envelope), CONTEXT) == Customer(name="ann")
    assert "preview" not in json.loads(serdes.serialize("no fields", CONTEXT))


def test_the_payload_is_that_of_another_serdes(folder: Path) -> None:
    serdes = _serdes(serdes=PASS_THROUGH_SERDES)
    envelope = serdes.serialize("a\r\nb\rü", CONTEXT)
    assert (folder / json.loads(envelope)["file"]).read_bytes() == "a\r\nb\rü".encode()
    assert serdes.deserialize(envelope, CONTEXT) == "a\r\nb\rü"


def test_a_value_takes_the_place_of_an_earlier_one(folder: Path) -> None:
    serdes = _serdes()
    for value in ("first", "second"):
        envelope = serdes.serialize(value, CONTEXT)
    assert serdes.deserialize(envelope, CONTEXT) == "second"
    assert len(_files(folder)) == 1


@pytest.mark.parametrize("name", [".", ".."])
@pytest.mark.parametrize("part", ["shop", "order-1", "7d0c9a4e"])
def test_an_arn_leads_nowhere_else(folder: Path, part: str, name: str) -> None:
    with pytest.raises(SerDesError, match="names no directory"):
        _serdes().serialize(1, SerDesContext("1", ARN.replace(part, name)))
    with pytest.raises(SerDesError, match="names no directory"):
        _serdes().serialize(1, SerDesContext("1", name))
    assert _files(folder) == []


@pytest.mark.parametrize(
    "path", ["secret.json", "store/../secret.json", "{}/secret.json", "store/link.json", "store2/x"]
)
def test_a_payload_leads_nowhere_else(folder: Path, path: str) -> None:
    (folder / "secret.json").write_text('"secret"')
    (folder / "store").mkdir()
    (folder / "store/link.json").symlink_to(folder / "secret.json")
    with pytest.raises(SerDesError, match="is not below store, where values are kept"):
        _serdes().deserialize(json.dumps({"file": path.format(folder)}), CONTEXT)


def test_the_base_may_be_a_link(folder: Path) -> None:
    (folder / "disk").mkdir()
    (folder / "store").symlink_to(folder / "disk")
    serdes = _serdes()
    assert serdes.deserialize(serdes.serialize(5, CONTEXT), CONTEXT) == 5
    assert (
        FileSystemSerDes(str(folder / "disk")).deserialize(serdes.serialize(6, CONTEXT), CONTEXT)
        == 6
    )


@pytest.mark.parametrize("data", ["5", "{}", "[]", '"file"', '{"file": 5}', '{"files": "a"}'])
def test_what_is_no_envelope_is_an_error(data: str) -> None:
    with pytest.raises(SerDesError, match='neither "file" nor "data" at its root'):
        _serdes().deserialize(data, CONTEXT)


def test_a_missing_file_is_an_error_for_good() -> None:
    data = json.dumps({"file": "store/gone.json"})
    with pytest.raises(FileNotFoundError):
        _serdes().deserialize(data, CONTEXT)
    with pytest.raises(SerDesError, match="No such file"):
        deserialize(_serdes(), data, "1", ARN)


class Disk:
    """Calls of the file system, one of which fails."""

    def __init__(self, fails: str, code: int) -> None:
        self.fails = fails
        self.code = code
        self.calls: list[str] = []

    def call(self, name: str, act: Callable[..., Any]) -> Callable[..., Any]:
        """Return ``act``, watched."""

        def called(*arguments: Any, **options: Any) -> Any:
            kind = name
            if name == "fsync":
                kind = "sync directory" if os.path.isdir(f"/proc/self/fd/{arguments[0]}") else name
            self.calls.append(kind)
            if kind == self.fails:
                raise OSError(self.code, os.strerror(self.code))
            return act(*arguments, **options)

        return called


@pytest.fixture
def fail(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str, int], Disk]]:
    """Make a call of the file system fail."""

    def arrange(name: str, code: int) -> Disk:
        disk = Disk(name, code)
        for call in ("fsync", "replace", "mkdir", "unlink"):
            monkeypatch.setattr(os, call, disk.call(call, getattr(os, call)))
        return disk

    yield arrange
    monkeypatch.undo()


def test_a_file_is_on_disk_before_it_has_its_name(fail: Callable[[str, int], Disk]) -> None:
    disk = fail("nothing", 0)
    (Path("store/shop/order-1")).mkdir(parents=True)
    disk.calls.clear()
    _serdes().serialize(1, CONTEXT)
    assert disk.calls == ["mkdir", "sync directory", "fsync", "replace", "sync directory"]


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_what_could_not_be_written_leaves_nothing(
    folder: Path, fail: Callable[[str, int], Disk], call: str
) -> None:
    serdes = _serdes()
    envelope = serdes.serialize("before", CONTEXT)
    fail(call, errno.ENOSPC)
    with pytest.raises(OSError, match="No space left"):
        serdes.serialize("after", CONTEXT)
    assert len(_files(folder)) == 1
    assert serdes.deserialize(envelope, CONTEXT) == "before"


def test_a_draft_that_cannot_be_removed_hides_no_error(
    monkeypatch: pytest.MonkeyPatch, fail: Callable[[str, int], Disk]
) -> None:
    fail("unlink", errno.EACCES)

    def refuse(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="full"):
        _serdes().serialize(1, CONTEXT)


@pytest.mark.parametrize("code", [errno.ESTALE, errno.EIO, errno.ETIMEDOUT])
def test_what_passes_by_itself_is_tried_again(fail: Callable[[str, int], Disk], code: int) -> None:
    fail("replace", code)
    with pytest.raises(RetryableSerDesError, match="the file system does not answer now"):
        serialize(_serdes(), 1, "1", ARN)


@pytest.mark.parametrize("code", [errno.EINVAL, errno.ENOTSUP])
@pytest.mark.parametrize("call", ["fsync", "sync directory"])
def test_a_file_system_without_a_cache_has_nothing_to_flush(
    fail: Callable[[str, int], Disk], call: str, code: int
) -> None:
    fail(call, code)
    serdes = _serdes()
    assert serdes.deserialize(serdes.serialize(1, CONTEXT), CONTEXT) == 1


def test_two_may_make_a_directory_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    make = os.mkdir

    def late(path: str) -> None:
        make(path)
        raise FileExistsError(path)

    monkeypatch.setattr(os, "mkdir", late)
    assert _serdes().deserialize(_serdes().serialize(1, CONTEXT), CONTEXT) == 1


def test_a_configuration_is_awss() -> None:
    mine, theirs = FileSystemSerDesConfig(), aws.FileSystemSerDesConfig()
    assert [field.name for field in dataclasses.fields(mine)] == [
        field.name for field in dataclasses.fields(theirs)
    ]
    assert (mine.storage_mode, mine.path_encoding) == (theirs.storage_mode, theirs.path_encoding)
    assert (mine.generate_preview, mine.serdes) == (None, EXTENDED_TYPES_SERDES)


def test_the_door_has_all_names() -> None:
    assert set(door.__all__) == set(ours.__all__)

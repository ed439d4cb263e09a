"""Code on this machine is what its hash says, each time a worker starts."""

import asyncio
import os
from pathlib import Path

import pytest

from perdure.engine.invoker import Crashed, FailureKind
from perdure.runtime.code import CodeCache, code_sha256
from perdure.runtime.errors import CodeMissingError
from tests.runtime.rig import ARN, Rig, a_zip, until, with_rig

CODE = "def handler(event, context):\n    return 'sold'\n"
CHANGES = ["content", "same size and time", "added", "removed", "renamed", "linked", "mode"]


def tamper(root: Path, how: str) -> None:
    """Change an extracted tree as somebody with the rights to it would."""
    file = root / "app.py"
    for path in (root, file):
        path.chmod(0o755)
    match how:
        case "content":
            file.write_text("def handler(e, c):\n    return 'stolen'\n")
        case "same size and time":
            status = file.stat()
            file.write_text(CODE.replace("sold", "gone"))
            os.utime(file, ns=(status.st_atime_ns, status.st_mtime_ns))
        case "added":
            (root / "json.py").write_text("1 / 0\n")
        case "removed":
            file.unlink()
        case "renamed":
            file.rename(root / "other.py")
        case "linked":
            file.unlink()
            file.symlink_to("/etc/passwd")
        case _:
            file.chmod(0o000)


@pytest.mark.parametrize("how", CHANGES)
def test_a_changed_tree_is_written_anew_before_the_next_worker(tmp_path: Path, how: str) -> None:
    async def story(rig: Rig) -> None:
        function = rig.function(CODE)
        assert await rig.result(function) == "sold"
        await rig.pool.retire(ARN)
        (root,) = (tmp_path / "code").iterdir()
        tamper(root, how)
        assert await rig.result(rig.function(CODE, revision_id="r2")) == "sold"
        await until(lambda: not root.exists())
        (fresh,) = (tmp_path / "code").iterdir()
        assert [path.name for path in fresh.iterdir()] == ["app.py"]
        assert await rig.result(rig.function(CODE, revision_id="r3")) == "sold"
        assert list((tmp_path / "code").iterdir()) == [fresh]

    with_rig(tmp_path, story)


def test_a_changed_tree_stays_while_a_worker_runs_from_it(tmp_path: Path) -> None:
    code = "def handler(event, context):\n    import late\n    return late.__file__\n"

    async def story(rig: Rig) -> None:
        old, new = (rig.function({"app.py": code, "late.py": ""}, version=v) for v in "12")
        other = rig.function({"app.py": CODE, "late.py": ""})
        assert await rig.result(other) == "sold"
        root = Path(await rig.result(old)).parent
        tamper(root, "added")
        fresh = Path(await rig.result(new)).parent
        assert fresh != root
        assert Path(await rig.result(old)).parent == root
        await rig.pool.retire(ARN, version="1")
        await until(lambda: not root.exists())
        assert fresh.exists()

    with_rig(tmp_path, story)


def test_a_tree_from_an_earlier_process_is_not_trusted(tmp_path: Path) -> None:
    async def story(rig: Rig) -> object:
        return await rig.result(rig.function(CODE))

    assert with_rig(tmp_path, story) == "sold"
    (root,) = (tmp_path / "code").iterdir()
    tamper(root, "same size and time")
    assert with_rig(tmp_path, story) == "sold"


LOSSES = {
    "gone": (None, FailureKind.CODE_MISSING, "Runtime.CodeMissing", "is gone"),
    "another": (a_zip({"b": ""}), FailureKind.CODE_MISSING, "Runtime.CodeMissing", "SHA-256"),
}


@pytest.mark.parametrize(("data", "kind", "error_type", "words"), LOSSES.values(), ids=LOSSES)
def test_code_that_is_gone_or_another_starts_no_worker(
    tmp_path: Path, data: bytes | None, kind: FailureKind, error_type: str, words: str
) -> None:
    async def story(rig: Rig) -> Crashed:
        function = rig.function(CODE)
        del rig.archives[function.code_sha256]
        if data is not None:
            rig.archives[function.code_sha256] = data
        report = await rig.invoke(function)
        assert isinstance(report.outcome, Crashed)
        return report.outcome

    crash = with_rig(tmp_path, story)
    assert (crash.kind, crash.error_type) == (kind, error_type)
    assert words in crash.message


def test_code_that_is_no_archive_starts_no_worker(tmp_path: Path) -> None:
    async def story(rig: Rig) -> Crashed:
        rig.archives[code_sha256(b"junk")] = b"junk"
        report = await rig.invoke(rig.function(CODE, code_sha256=code_sha256(b"junk")))
        assert isinstance(report.outcome, Crashed)
        return report.outcome

    assert with_rig(tmp_path, story).error_type == "Runtime.InvalidArchive"


@pytest.mark.parametrize("sha256", ["../../etc", "..", "", "%00", "/etc/passwd"])
def test_a_hash_is_never_a_path(tmp_path: Path, sha256: str) -> None:
    async def story(rig: Rig) -> None:
        cache = CodeCache(tmp_path / "in" / "code", _nothing)
        with pytest.raises(CodeMissingError):
            await cache.borrow(rig.function(CODE, code_sha256=sha256))
        assert not (tmp_path / "in").exists()

    with_rig(tmp_path, story)


async def _nothing(sha256: str) -> bytes:
    raise KeyError(sha256)


def test_callers_at_the_same_time_extract_once(tmp_path: Path) -> None:
    loads = 0
    data = a_zip({"app.py": CODE})

    async def load(sha256: str) -> bytes:
        nonlocal loads
        loads += 1
        return data

    async def story(rig: Rig) -> None:
        cache = CodeCache(tmp_path / "trees", load)
        function = rig.function(CODE)
        places = await asyncio.gather(*(cache.borrow(function) for _ in range(10)))
        assert len(set(places)) == 1
        assert loads == 1
        await cache.forget(function.code_sha256)
        for place in places:
            assert place.exists()
            await cache.give_back(place)
        assert not places[0].exists()

    with_rig(tmp_path, story)


def test_code_unused_for_long_is_removed(tmp_path: Path) -> None:
    async def story(rig: Rig) -> None:
        cache = CodeCache(tmp_path / "trees", rig.load_code)
        for number in range(40):
            place = await cache.borrow(rig.function(CODE + f"x = {number}\n"))
            await cache.give_back(place)
        assert len(list((tmp_path / "trees").iterdir())) == 32
        assert place.exists()

    with_rig(tmp_path, story)

"""Code as a zip file."""

import io
import os
import zipfile
from pathlib import Path

import pytest

from perdure.cli.archive import zip_code
from perdure.cli.errors import CommandError


def write(folder: Path, *names: str) -> Path:
    for name in names:
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(name)
    return folder


def names_in(code: bytes) -> list[str]:
    return zipfile.ZipFile(io.BytesIO(code)).namelist()


def test_the_same_files_give_the_same_bytes(tmp_path: Path) -> None:
    one = write(tmp_path / "one", "b/c.py", "a.py")
    other = write(tmp_path / "other", "a.py", "b/c.py")
    os.utime(other / "a.py", (1, 1))

    assert zip_code(one) == zip_code(other)
    assert names_in(zip_code(one)) == ["a.py", "b/c.py"]


def test_what_is_no_code_is_left_out(tmp_path: Path) -> None:
    folder = write(
        tmp_path,
        "app.py",
        ".git/config",
        "__pycache__/app.pyc",
        "old.pyc",
        ".venv/bin/python",
        ".perdure/state.db",
        "node_modules/x/index.js",
    )

    assert names_in(zip_code(folder)) == ["app.py"]
    assert names_in(zip_code(folder, with_node_modules=True)) == [
        "app.py",
        "node_modules/x/index.js",
    ]


def test_one_file_is_alone_in_its_zip(tmp_path: Path) -> None:
    write(tmp_path, "app.py", "other.py")

    assert names_in(zip_code(tmp_path / "app.py")) == ["app.py"]


def test_a_program_stays_executable_and_a_link_becomes_its_file(tmp_path: Path) -> None:
    folder = write(tmp_path / "code", "bootstrap")
    (folder / "bootstrap").chmod(0o755)
    (folder / "link").symlink_to(write(tmp_path, "outside") / "outside")

    entries = {
        entry.filename: entry.external_attr >> 16
        for entry in zipfile.ZipFile(io.BytesIO(zip_code(folder))).infolist()
    }

    assert entries == {"bootstrap": 0o100755, "link": 0o100644}


def test_a_zip_file_is_taken_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "code.zip").write_bytes(b"PK")

    assert zip_code(tmp_path / "code.zip") == b"PK"


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="holds no file"):
        zip_code(tmp_path)


def test_too_much_code_is_an_error_with_its_size(tmp_path: Path) -> None:
    file = tmp_path / "code.zip"
    with file.open("wb") as stream:
        stream.truncate(50 * 1024 * 1024 + 1)

    with pytest.raises(CommandError, match="52,428,801 bytes zipped; the limit is 52,428,800"):
        zip_code(file)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match=r"cannot read .*No such file"):
        zip_code(tmp_path / "gone.py")

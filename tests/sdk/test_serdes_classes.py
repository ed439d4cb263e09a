"""Classes are found again by name, also from another process and under another name."""

import importlib
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest

from perdure.sdk.exceptions import SerDesError
from perdure.sdk.serdes_classes import find_class, name_of
from tests.sdk import serdes_samples
from tests.sdk.serdes_samples import Outer, Point

PROGRAM = """
import sys
from dataclasses import dataclass
from perdure.serdes import EXTENDED_TYPES_SERDES as serdes

@dataclass
class Order:
    number: int

@dataclass
class Other:
    number: int

if __name__ == "__main__":
    command, *payload = sys.argv[1:]
    if command == "write":
        print(serdes.serialize(Order(5)))
    else:
        order = serdes.deserialize(payload[0])
        print(type(order) is Order, order.number, "shop" in sys.modules)
"""
READER = """
import importlib, sys
module, payload = sys.argv[1:]
handler = importlib.import_module(module) if module else None
from perdure.serdes import EXTENDED_TYPES_SERDES as serdes
order = serdes.deserialize(payload)
print(handler is None or type(order) is handler.Order, type(order).__module__, order.number)
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A directory with a program, and a package with the same program in it."""
    (tmp_path / "handlers").mkdir()
    for path in ("shop.py", "handlers/shop.py", "handlers/__main__.py"):
        (tmp_path / path).write_text(PROGRAM)
    (tmp_path / "reader.py").write_text(READER)
    return tmp_path


def _run(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or done.stderr.strip().splitlines()[-1]


def _class(payload: str) -> str:
    return json.loads(payload)["v"]["class"]


def test_a_program_writes_the_name_that_others_import_it_by(folder: Path) -> None:
    assert _class(_run(folder, "shop.py", "write")) == "shop:Order"
    assert _class(_run(folder, "handlers/shop.py", "write")) == "shop:Order"
    assert _class(_run(folder, "-m", "shop", "write")) == "shop:Order"
    assert _class(_run(folder, "-m", "handlers.shop", "write")) == "handlers.shop:Order"
    assert _class(_run(folder, "-m", "handlers", "write")) == "handlers.__main__:Order"
    assert _class(_run(folder, "handlers", "write")) == "__main__:Order"
    assert _class(_run(folder, "-c", PROGRAM, "write")) == "__main__:Order"


def test_a_program_reads_into_its_own_classes(folder: Path) -> None:
    payload = _run(folder, "shop.py", "write")
    assert _run(folder, "shop.py", "read", payload) == "True 5 False"
    assert _run(folder, "-m", "shop", "read", payload) == "True 5 False"
    nameless = _run(folder, "-c", PROGRAM, "write")
    assert _run(folder, "shop.py", "read", nameless) == "True 5 False"


def test_a_worker_reads_what_a_program_wrote(folder: Path) -> None:
    payload = _run(folder, "shop.py", "write")
    assert _run(folder, "reader.py", "", payload) == "True shop 5"
    assert _run(folder, "reader.py", "shop", payload) == "True shop 5"


def test_a_module_of_the_same_last_name_will_do_if_there_is_only_one(folder: Path) -> None:
    payload = _run(folder, "-m", "handlers.shop", "write").replace("handlers.", "elsewhere.")
    assert _run(folder, "reader.py", "handlers.shop", payload) == "True handlers.shop 5"
    assert "no class Order in module elsewhere.shop" in _run(folder, "reader.py", "", payload)


def test_what_a_nameless_program_wrote_is_read_by_no_other(folder: Path) -> None:
    payload = _run(folder, "-c", PROGRAM, "write")
    assert "recorded by one that had no file" in _run(folder, "reader.py", "", payload)


def test_a_name_leads_back_to_its_class() -> None:
    for cls in (Point, Outer.Inner, Path, KeyError):
        assert find_class(name_of(cls)) is cls
    assert name_of(Outer.Inner) == "tests.sdk.serdes_samples:Outer.Inner"


def test_two_modules_of_the_same_last_name_will_not_do(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("one.namesake", "two.namesake"):
        module = ModuleType(name)
        module.Point = Point  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, name, module)
        if name.startswith("one"):
            assert find_class("three.namesake:Point") is Point
    with pytest.raises(SerDesError, match=r"no class Point in module three\.namesake: if it was"):
        find_class("three.namesake:Point")


@pytest.mark.parametrize("name", ["", "Point", ":Point", "module:", ".module:Point", "..:x"])
def test_a_name_has_a_module_and_a_class(name: str) -> None:
    with pytest.raises(SerDesError, match="does not name a class"):
        find_class(name)


@pytest.mark.parametrize(
    "name",
    [
        "os:nothing",
        "os:path",
        "os:path.join",
        "os:environ",
        "no_such_module_at_all:Point",
        "os.no_such:Point",
        "tests.sdk.serdes_samples:Outer.Missing",
        "tests.sdk.serdes_samples:Point.x.fget",
    ],
)
def test_what_is_no_class_is_not_found(name: str) -> None:
    with pytest.raises(SerDesError, match="no class"):
        find_class(name)


def test_a_module_that_cannot_be_imported_says_why(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "lacking_module.py").write_text("import surely_not_there")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="surely_not_there"):
        find_class("lacking_module:Point")


def test_a_class_that_is_not_under_its_name_is_an_error() -> None:
    @dataclass
    class Imitation:
        pass

    Imitation.__qualname__ = "Imitation"
    for module in (serdes_samples.__name__, "not_loaded"):
        Imitation.__module__ = module
        with pytest.raises(SerDesError, match=f"{module} has nothing there"):
            name_of(Imitation)


def test_a_class_under_another_classes_name_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(serdes_samples, "Point", Outer)
    with pytest.raises(SerDesError, match="has another thing there"):
        name_of(Point)


def test_a_reloaded_module_has_its_classes_still(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "reloaded_module.py").write_text("class Point:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("reloaded_module")
    before = module.Point
    importlib.reload(module)
    assert name_of(before) == "reloaded_module:Point"
    assert find_class(name_of(before)) is module.Point is not before


def test_a_child_of_multiprocessing_has_its_parents_program(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for file, name in (("/somewhere/shop.py", "shop"), (None, "__main__")):
        main = ModuleType("__mp_main__")
        main.__file__ = file
        main.Point = type("Point", (), {"__module__": "__mp_main__"})  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, "__main__", main)
        monkeypatch.setitem(sys.modules, "__mp_main__", main)
        assert name_of(main.Point) == f"{name}:Point"
        assert find_class(f"{name}:Point") is main.Point
    monkeypatch.delitem(sys.modules, "__main__")
    with pytest.raises(SerDesError, match="no class Point in this program"):
        find_class("__main__:Point")

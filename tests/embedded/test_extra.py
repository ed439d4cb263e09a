"""What ``pip install "perdure[embedded]"`` brings is what the package needs."""

import tomllib
from pathlib import Path


def test_the_extra_names_the_one_dependency() -> None:
    project = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]

    assert project["dependencies"] == []
    assert project["optional-dependencies"]["embedded"] == ["msgspec>=0.19"]

"""What every example is run in."""

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def etl_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give the examples that keep values in files a folder for them."""
    folder = tmp_path / "etl"
    monkeypatch.setenv("ETL_FOLDER", str(folder))
    return folder

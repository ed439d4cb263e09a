"""What the guide to serialization shows is so."""

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from perdure.sdk.serdes import SerDesContext

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "serialization.md"


class Rot:
    """A cipher."""

    def encrypt(self, data: bytes, /) -> bytes:
        return data[::-1]

    def decrypt(self, token: bytes, /) -> bytes:
        return token[::-1]


class Away:
    """A cipher whose key service does not answer."""

    def encrypt(self, data: bytes, /) -> bytes:
        raise TimeoutError("10 s")


@pytest.fixture
def shown(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guide's code, run as one module from top to bottom."""
    module = ModuleType("serialization_guide")
    monkeypatch.setitem(sys.modules, module.__name__, module)
    for code in re.findall(r"^```python\n(.*?)^```", GUIDE.read_text(), re.DOTALL | re.MULTILINE):
        exec(compile(code, GUIDE, "exec"), vars(module))
    return module


def test_the_example_encrypts(shown: Any) -> None:
    value = shown.Invoice(["tea"], shown.Status.PAID)
    encrypted = shown.Encrypted(Rot())
    payload = encrypted.serialize(value, SerDesContext())
    assert "Invoice" not in payload
    assert encrypted.deserialize(payload, SerDesContext()) == value


def test_the_example_waits_for_its_key_service(shown: Any) -> None:
    with pytest.raises(shown.RetryableSerDesError, match="the key service is away: 10 s"):
        shown.Encrypted(Away()).serialize(1, SerDesContext())

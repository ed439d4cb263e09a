"""Requests with defaults, and a catalog to send them to."""

import asyncio
import io
import zipfile
from collections.abc import Coroutine
from typing import Any, TypeVar

from perdure.engine.functions import Account, FunctionCatalog
from perdure.protocol.configurations import DurableConfig, FunctionConfiguration
from perdure.protocol.functions import CreateFunctionRequest, FunctionCode
from perdure.protocol.runtimes import Runtime
from perdure.store.memory import MemoryStore

ARN = "arn:aws:lambda:us-east-1:000000000000:function:f"
ROLE = "arn:aws:iam::000000000000:role/r"
DURABLE = DurableConfig(execution_timeout=3600)

Answer = TypeVar("Answer")


class FakeClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.at_ms = 1_700_000_000_123

    def now_ms(self) -> int:
        return self.at_ms


class CountingEntropy:
    """Gives the numbers from 1 on."""

    def __init__(self) -> None:
        self._count = 0

    def token(self, size: int) -> bytes:
        self._count += 1
        return self._count.to_bytes(size, "big")

    def fraction(self) -> float:
        return 0.5


def check_is_zip(archive: bytes) -> None:
    """Refuse what is no zip."""
    if not zipfile.is_zipfile(io.BytesIO(archive)):
        raise ValueError("it is no zip")


def a_zip(text: str = "def handler(event, context): ...") -> bytes:
    """Return a zip with one file of ``text``; the same text gives the same bytes."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return content.getvalue()


def a_request(name: str = "f", **changes: Any) -> CreateFunctionRequest:
    """Return the request for a small Python function."""
    settings: dict[str, Any] = {
        "function_name": name,
        "role": ROLE,
        "runtime": Runtime.PYTHON3_11,
        "handler": "app.handler",
        "code": FunctionCode(zip_file=a_zip()),
    }
    return CreateFunctionRequest(**(settings | changes))


class Catalog:
    """A catalog, called by the names of the API, and waited for."""

    def __init__(self, store: MemoryStore | None = None) -> None:
        self.store = store or MemoryStore()
        self.clock = FakeClock()
        self.catalog = FunctionCatalog(
            self.store,
            clock=self.clock,
            entropy=CountingEntropy(),
            check_archive=check_is_zip,
            code_url=lambda name, code_sha256: f"http://here/{name}/{code_sha256}",
            account=Account(),
        )

    def call(self, name: str, request: object) -> Any:
        """Return the answer to a call."""
        for handler in self.catalog.handlers:
            method = getattr(handler, name, None)
            if method is not None:
                return asyncio.run(method(request))
        raise LookupError(name)

    def wait(self, coroutine: Coroutine[Any, Any, Answer]) -> Answer:
        """Return what a coroutine comes to."""
        return asyncio.run(coroutine)

    def create(self, name: str = "f", **changes: Any) -> FunctionConfiguration:
        """Create a function."""
        return self.call("create_function", a_request(name, **changes))

    def resolve(self, identifier: str, qualifier: str | None = None, *, drawn: float = 0.0) -> Any:
        """Return the version an identifier stands for."""
        return self.wait(self.catalog.directory.resolve(identifier, qualifier, draw=lambda: drawn))

    def resolve_pinned(self, version: str, code_sha256: str) -> Any:
        """Return the version of ``f`` an execution is pinned to."""
        return self.wait(self.catalog.directory.resolve_pinned(ARN, version, code_sha256))

    def stored(self, collection: str) -> list[str]:
        """Return the keys of a collection."""
        return [r.key for r in self.wait(self.store.list_records(collection))]

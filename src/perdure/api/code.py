"""Where a function's zip can be downloaded: the address in GetFunction's ``Code.Location``.

It is not one of Lambda's calls: on AWS the address is S3's.
"""

from collections.abc import Awaitable, Callable
from typing import Final
from urllib.parse import parse_qs, quote, urlencode

from perdure.api.exchange import Exchange

__all__ = ["CodeService", "ReadCode", "code_url"]

#: Returns a zip by its hash, or None.
ReadCode = Callable[[str], Awaitable[bytes | None]]

_BEGIN: Final = b"/code/"


class CodeService:
    """Answers downloads."""

    def __init__(self, read_code: ReadCode) -> None:
        """Take zips from ``read_code``."""
        self._read_code = read_code

    async def serve(self, exchange: Exchange) -> bool:
        """Answer a download; return whether it was one."""
        if not exchange.path.startswith(_BEGIN) or exchange.method != "GET":
            return False
        query = parse_qs(exchange.query.decode("latin-1"), errors="replace")
        archive = await self._read_code(query.get("CodeSha256", [""])[-1])
        if archive is None:
            await exchange.refuse(404, "ResourceNotFoundException", "there is no such code")
        else:
            await exchange.answer(200, archive, content_type=b"application/zip")
        return True


def code_url(base_url: str, function_name: str, code_sha256: str) -> str:
    """Return the address of a function's zip on the server at ``base_url``."""
    query = urlencode({"CodeSha256": code_sha256})
    return f"{base_url}{_BEGIN.decode()}{quote(function_name, safe='')}.zip?{query}"

"""Code: zips under the hash of their bytes, kept as long as a version, or an execution, needs them.

Who needs a zip is recorded beside it (``code-use``). A zip goes with its last user: if another
process begins to use it meanwhile, that rewrites the zip, and the removal finds another revision.
"""

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable, Iterable

from perdure.core.errors import InvalidParameterValue
from perdure.engine.functions.documents import StoredVersion
from perdure.engine.functions.records import RecordStore
from perdure.engine.functions.registry import LATEST, Registry
from perdure.protocol.functions import FunctionCode, UpdateFunctionCodeRequest
from perdure.protocol.limits import CODE_ZIPPED_BYTES_MAX
from perdure.protocol.setting_words import PackageType
from perdure.store.records import RecordWrite

__all__ = ["CheckArchive", "CheckEndpoint", "Codes", "refuse_endpoint", "sha256_text"]

#: Raises ``ValueError`` with the reason if a zip is not one that can be run.
CheckArchive = Callable[[bytes], None]
#: Raises ``ValueError`` with the reason if invocations may not be posted to a URL.
CheckEndpoint = Callable[[str], None]
#: Tells whether an execution is pinned to a function's (by ARN) code (by hash).
IsNeeded = Callable[[str, str], Awaitable[bool]]

_SNAPSHOT_KEPT_MS = 60 * 60 * 1000  #: longer than any start is under way
_CODE = "code"
_USE = "code-use"


class Codes:
    """All code of the account."""

    def __init__(self, store: RecordStore, registry: Registry, check_archive: CheckArchive) -> None:
        """Keep code in ``store``; take only what ``check_archive`` lets pass."""
        self._store = store
        self._registry = registry
        self._check_archive = check_archive
        self.check_endpoint: CheckEndpoint = refuse_endpoint

    async def given(
        self, code: FunctionCode | UpdateFunctionCodeRequest, package_type: PackageType | None
    ) -> bytes | str:
        """Return the code that a caller sent: a zip, or for an ``Image`` an endpoint's URL.

        Raises:
            InvalidParameterValue: it is the other, or not one that can run.
        """
        if package_type is not PackageType.IMAGE:
            return await self._uploaded(code)
        if code.zip_file or code.s3_bucket or code.s3_key:
            raise InvalidParameterValue(
                "Please don't provide ZipFile or S3 parameters for a function with packageType"
                " Image."
            )
        url = code.image_uri or ""
        if not url.startswith(("http://", "https://")):
            raise InvalidParameterValue(
                "ImageUri must be the http:// or https:// URL of an endpoint: Perdure runs no"
                f" images (value: {url!r})"
            )
        try:
            self.check_endpoint(url)
        except ValueError as error:
            raise InvalidParameterValue(f"ImageUri cannot be used: {error}") from None
        return url

    async def _uploaded(self, code: FunctionCode | UpdateFunctionCodeRequest) -> bytes:
        """Return the zip that a caller sent.

        Raises:
            InvalidParameterValue: it is elsewhere, missing, too large, or not a zip that can run.
        """
        for member, value in (
            ("S3Bucket", code.s3_bucket),
            ("S3Key", code.s3_key),
            ("S3ObjectVersion", code.s3_object_version),
            ("ImageUri", code.image_uri),
        ):
            if value is not None:
                raise InvalidParameterValue(
                    f"{member} is not supported by Perdure for PackageType Zip; use ZipFile"
                )
        if not code.zip_file:
            raise InvalidParameterValue("ZipFile is required")
        if len(code.zip_file) > CODE_ZIPPED_BYTES_MAX:
            raise InvalidParameterValue(
                f"ZipFile is {len(code.zip_file):,} bytes; the limit is {CODE_ZIPPED_BYTES_MAX:,}"
            )
        try:
            # To look through a large zip takes a second: others do not wait for it.
            await asyncio.to_thread(self._check_archive, code.zip_file)
        except ValueError as error:
            raise InvalidParameterValue(
                f"Could not unzip uploaded file. Please check your file, then try to upload again:"
                f" {error}"
            ) from None
        return code.zip_file

    async def read(self, code_sha256: str) -> bytes | None:
        """Return a zip, or None if it is gone."""
        record = await self._store.read_record(_CODE, code_sha256)
        return None if record is None else record.body

    def kept(self, version: StoredVersion, code: bytes | str) -> list[RecordWrite]:
        """Return the writes that keep a version's code; a URL is kept with the version itself."""
        if isinstance(code, str):
            return []
        return [RecordWrite(collection=_CODE, key=_sha256(version), body=code)]

    def use(self, version: StoredVersion) -> list[RecordWrite]:
        """Return the writes that record a version's use of its code."""
        return [_use(version, b"1")] if _is_zip(version) else []

    async def release(self, versions: Iterable[StoredVersion]) -> list[RecordWrite]:
        """Return the writes that end the versions' use of their code, and remove what is left."""
        ended = [version for version in versions if _is_zip(version)]
        keys = {_use_key(version) for version in ended}
        writes = {_use_key(version): _use(version, None) for version in ended}
        removals: list[RecordWrite] = []
        for code_sha256 in sorted({_sha256(version) for version in ended}):
            record = await self._store.read_record(_CODE, code_sha256)
            users = await self._store.list_records(
                _USE, prefix=f"{code_sha256}:", limit=len(keys) + 1
            )
            if record is not None and all(user.key in keys for user in users):
                removals.append(
                    RecordWrite(
                        collection=_CODE,
                        key=code_sha256,
                        body=None,
                        expected_revision=record.revision,
                    )
                )
        return [*writes.values(), *removals]

    async def forget_snapshots(self, is_needed: IsNeeded) -> int:
        """Remove the code that ``$LATEST`` went on from and no execution needs; return how much."""
        registry, count = self._registry, 0
        replaced_before_ms = registry.now_ms() - _SNAPSHOT_KEPT_MS
        async for held in registry.snapshots.every():
            snapshot = held.document
            arn = snapshot.configuration.function_arn or ""
            if (snapshot.replaced_at_ms or 0) > replaced_before_ms:
                continue
            if await is_needed(arn, _sha256(snapshot)):
                continue
            async with registry.lock:
                function = await registry.functions.read(held.key.partition(":")[0])
                is_latest = function is not None and (
                    _sha256(function.document.latest) == _sha256(snapshot)
                )
                writes = [] if is_latest else await self.release([snapshot])
                await registry.write([registry.snapshots.remove(held), *writes])
            count += 1
        return count


def refuse_endpoint(url: str) -> None:
    """Refuse every endpoint: nobody has allowed one."""
    raise ValueError(f"endpoints are not allowed on this service (value: {url!r})")


def sha256_text(content: bytes) -> str:
    """Return a hash as the wire has it: base64 of SHA-256."""
    return base64.b64encode(hashlib.sha256(content).digest()).decode()


def _sha256(version: StoredVersion) -> str:
    return version.configuration.code_sha256 or ""


def _is_zip(version: StoredVersion) -> bool:
    return version.code_folder is None and version.endpoint_url is None


def _use_key(version: StoredVersion) -> str:
    configuration = version.configuration
    return f"{_sha256(version)}:{configuration.function_name}:{configuration.version or LATEST}"


def _use(version: StoredVersion, body: bytes | None) -> RecordWrite:
    return RecordWrite(collection=_USE, key=_use_key(version), body=body)

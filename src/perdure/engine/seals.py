"""Checkpoint tokens, callback ids and page markers: made so that nobody can forge or guess them
(SR-10).

Each is signed (keyed BLAKE2b) with a key that is not in the database, and bound to its execution. A
token carries a random nonce of its invocation, of which the database keeps the hash alone; a
callback id is the signature itself. All are written in hexadecimal digits: they survive a URL's
path, and satisfy the wire's patterns.
"""

import hashlib
import hmac
import os
import secrets
import struct
from functools import lru_cache
from pathlib import Path
from typing import Final

from perdure.core.commands import Token
from perdure.core.errors import (
    InvalidCheckpointToken,
    InvalidParameterValue,
    ResourceNotFound,
)
from perdure.core.outcome import TokenState

__all__ = ["NONCE_BYTES", "OpenSeals", "Seals", "load_key", "read_key"]

NONCE_BYTES: Final = 16
_MAC_BYTES: Final = 16
_TOKEN: Final = struct.Struct(">II16s")  #: without its signature
_KEY_BYTES: Final = 32
_DERIVED_BYTES: Final = 32
_MARKER_MS: Final = 24 * 3_600_000


def load_key(path: Path) -> bytes:
    """Return the signing key at ``path``; make one, readable by its owner alone, if there is none.

    Raises:
        ValueError: the file holds something else.
    """
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return read_key(path.read_bytes(), str(path))
    key = secrets.token_bytes(_KEY_BYTES)
    with os.fdopen(handle, "wb") as file:
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key


def read_key(key: bytes, source: str) -> bytes:
    """Return a signing key that came from ``source``.

    Raises:
        ValueError: it is none.
    """
    if len(key) != _KEY_BYTES:
        raise ValueError(f"{source} holds {len(key)} bytes; a key has {_KEY_BYTES}")
    return key


@lru_cache(maxsize=1024)
def hash_nonce(nonce: bytes) -> bytes:
    """Return what the database keeps of a nonce."""
    return hashlib.sha256(nonce).digest()


class Seals:
    """Makes and opens them all, with one key."""

    def __init__(self, key: bytes) -> None:
        """Use ``key``: secret, and kept outside the database."""
        self._base = hashlib.blake2b(key=key, digest_size=_MAC_BYTES)
        self._long_base = hashlib.blake2b(key=key, digest_size=_DERIVED_BYTES, person=b"derived")

    def seal_token(self, execution_id: str, state: TokenState, nonce: bytes) -> str:
        """Return the checkpoint token for ``state``."""
        body = _TOKEN.pack(state.epoch, state.sequence, nonce)
        return (body + self._sign(b"T", execution_id, body)).hex()

    def open_token(self, execution_id: str, text: str) -> tuple[Token, bytes]:
        """Return what a token says, and its nonce.

        Raises:
            InvalidCheckpointToken: it was not made here for this execution.
        """
        try:
            raw = bytes.fromhex(text)
            body = raw[: _TOKEN.size]
            epoch, sequence, nonce = _TOKEN.unpack(body)
        except (ValueError, struct.error):
            raise InvalidCheckpointToken from None
        if not hmac.compare_digest(raw[_TOKEN.size :], self._sign(b"T", execution_id, body)):
            raise InvalidCheckpointToken
        return Token(epoch, sequence, hash_nonce(nonce)), nonce

    def seal_callback(self, execution_id: str, operation_id: str) -> str:
        """Return the id with which a callback is answered."""
        mac = self._sign(b"C", execution_id, operation_id.encode())
        return f"{execution_id}{mac.hex()}{operation_id.encode().hex()}"

    def open_callback(self, text: str) -> tuple[str, str]:
        """Return a callback id's execution and operation.

        Raises:
            ResourceNotFound: it was not made here.
        """
        try:
            raw = bytes.fromhex(text)
            execution_id, mac = raw[:16].hex(), raw[16 : 16 + _MAC_BYTES]
            operation_id = raw[16 + _MAC_BYTES :].decode()
        except ValueError:
            raise ResourceNotFound("there is no such callback") from None
        expected = self._sign(b"C", execution_id, operation_id.encode())
        if not hmac.compare_digest(mac, expected):
            raise ResourceNotFound("there is no such callback")
        return execution_id, operation_id

    def seal_marker(self, scope: str, position: str, now_ms: int) -> str:
        """Return a marker to go on after ``position`` of the listing named ``scope``."""
        body = f"{now_ms}:{position}".encode()
        return (self._sign(b"M", scope, body) + body).hex()

    def open_marker(self, scope: str, text: str, now_ms: int) -> str:
        """Return a marker's position.

        Raises:
            InvalidParameterValue: it was not made here for this listing, or is older than a day.
        """
        try:
            raw = bytes.fromhex(text)
            mac, body = raw[:_MAC_BYTES], raw[_MAC_BYTES:]
            made_at_ms, _, position = body.decode().partition(":")
        except ValueError:
            raise InvalidParameterValue("Marker is not one that this call returned") from None
        if not hmac.compare_digest(mac, self._sign(b"M", scope, body)):
            raise InvalidParameterValue("Marker is not one that this call returned")
        if now_ms - int(made_at_ms) > _MARKER_MS:
            raise InvalidParameterValue("Marker is older than 24 hours")
        return position

    def derive(self, purpose: str, body: str) -> bytes:
        """Return 32 bytes that only who has the key can know: the signature of ``body`` for
        ``purpose`` and no other. All nodes that share the key return the same.
        """
        mac = self._long_base.copy()
        mac.update(b"%b\0%b" % (purpose.encode(), body.encode()))
        return mac.digest()

    def _sign(self, purpose: bytes, scope: str, body: bytes) -> bytes:
        mac = self._base.copy()
        mac.update(b"%b\0%b\0%b" % (purpose, scope.encode(), body))
        return mac.digest()


class OpenSeals(Seals):
    """Seals whose tokens bear no signature: for handlers in the engine's own process, to whom alone
    they are given. The nonce, which nobody can guess, still says whose token it is (F1).
    """

    def seal_token(self, execution_id: str, state: TokenState, nonce: bytes) -> str:
        """Return the checkpoint token for ``state``."""
        return _TOKEN.pack(state.epoch, state.sequence, nonce).hex()

    def open_token(self, execution_id: str, text: str) -> tuple[Token, bytes]:
        """Return what a token says, and its nonce.

        Raises:
            InvalidCheckpointToken: it is none.
        """
        try:
            epoch, sequence, nonce = _TOKEN.unpack(bytes.fromhex(text))
        except (ValueError, struct.error):
            raise InvalidCheckpointToken from None
        return Token(epoch, sequence, hash_nonce(nonce)), nonce

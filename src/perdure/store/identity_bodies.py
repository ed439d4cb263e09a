"""Identities as the bytes that rows keep.

Most of an identity is the same for all executions of a function version that were started alike:
that is its *pin*, kept once for all of them. The rest is kept with each. A member that ``Identity``
gains, with a default, becomes part of the pin without a change here.
"""

import dataclasses
from functools import lru_cache
from typing import Any, Final

import msgspec

from perdure.core.execution import Identity, ParentLink
from perdure.store.codes import pack, unpack

__all__ = ["decode_identity", "encode_identity", "encode_pin"]

_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder().decode

#: What an identity has for itself; all else it shares with others.
_OWN: Final = (
    *("id", "name", "arn", "started_at_ms", "input_sha256"),
    *("parent", "depth", "tenant_id", "trace_id"),
)
_SHARED: Final = tuple(
    field.name for field in dataclasses.fields(Identity) if field.name not in _OWN
)
_NOTHING_OWN: Final = (None, 0, None, None, None)


def encode_pin(identity: Identity) -> bytes:
    """Return what the identity shares with those of the same function version, started alike."""
    shared = {name: getattr(identity, name) for name in _SHARED}
    end = _arn_end(identity)
    if identity.arn.endswith(end):
        shared["arn"] = identity.arn.removesuffix(end)
    return _encode(shared)


def encode_identity(identity: Identity) -> bytes:
    """Return what the identity has for itself, without its id, its name and its start."""
    parent = identity.parent
    own = (
        None if parent is None else tuple(map(pack, parent)),
        identity.depth,
        identity.tenant_id,
        identity.trace_id,
        None if identity.arn.endswith(_arn_end(identity)) else identity.arn,
    )
    return _encode(
        (identity.input_sha256,) if own == _NOTHING_OWN else (identity.input_sha256, *own)
    )


def decode_identity(
    execution_id: str, name: str | bytes, started_at_ms: int, pin: bytes, body: bytes
) -> Identity:
    """Return the identity."""
    shared, stem = _pin(pin)
    input_sha256, *own = _decode(body)
    parent, depth, tenant_id, trace_id, arn = own or _NOTHING_OWN
    text = _text(name)
    members = {
        **shared,
        "id": execution_id,
        "name": text,
        "arn": f"{stem}/{text}/{execution_id}" if arn is None else arn,
        "started_at_ms": started_at_ms,
        "input_sha256": input_sha256,
        "parent": None if parent is None else ParentLink(*map(_text, parent)),
        "depth": depth,
        "tenant_id": tenant_id,
        "trace_id": trace_id,
    }
    return msgspec.convert(members, Identity)  # a third of the time of its constructor


@lru_cache(maxsize=1024)
def _pin(body: bytes) -> tuple[dict[str, Any], str | None]:
    shared: dict[str, Any] = _decode(body)
    stem = shared.pop("arn", None)
    return shared, stem


def _arn_end(identity: Identity) -> str:
    return f"/{identity.name}/{identity.id}"


def _text(packed: str | bytes) -> str:
    text = unpack(packed)
    assert text is not None, "what was packed is a text"
    return text

"""The codecs answer as AWS's do."""

from collections.abc import Callable
from typing import Any

import aws_durable_execution_sdk_python.serdes as aws
import pytest
from aws_durable_execution_sdk_python.exceptions import (
    DurableExecutionsError as AwsDurableExecutionsError,
)
from hypothesis import given

from perdure.sdk import serdes_codecs as ours
from perdure.sdk.batches import BatchResult
from perdure.sdk.exceptions import DurableExecutionsError, SerDesError
from perdure.sdk.serdes_codecs import TYPE_CODEC, ContainerCodec, EncodedValue
from perdure.sdk.serdes_tags import TypeTag
from tests.sdk.serdes_samples import Colour, Point
from tests.sdk.test_serdes import VALUES

CODECS = ["PrimitiveCodec", "BytesCodec", "UuidCodec", "DecimalCodec", "DateTimeCodec"]
EMPTY_BATCH: dict[str, Any] = {"all": [], "completionReason": "ALL_COMPLETED"}


def _shown(encoded: object) -> str:
    """Return what to compare: both have the same form when they are shown."""
    return repr(encoded).replace(aws.__name__, "").replace("py:", "")


@given(VALUES)
def test_an_envelope_is_awss_and_is_read_back(value: object) -> None:
    encoded = TYPE_CODEC.encode(value)
    theirs = aws.TYPE_CODEC.encode(value)
    assert _shown(encoded) == _shown(theirs)
    assert repr(TYPE_CODEC.decode(encoded.tag, encoded.value)) == repr(
        aws.TYPE_CODEC.decode(theirs.tag, theirs.value)
    )


@pytest.mark.parametrize("value", [{1, 2}, Point(1), Colour.RED, [Colour.RED, {(1, 2): 3}]])
def test_what_aws_does_not_know_has_an_envelope_too(value: object) -> None:
    encoded = TYPE_CODEC.encode(value)
    assert TYPE_CODEC.decode(encoded.tag, encoded.value) == value


@pytest.mark.parametrize("name", CODECS)
def test_a_codec_knows_its_own_tags(name: str) -> None:
    codec, theirs = getattr(ours, name)(), getattr(aws, name)()
    for tag in TypeTag:
        if tag in codec.tags:
            continue
        with pytest.raises(SerDesError, match=f"is none of {name}'s"):
            codec.decode(tag, "x")
        if tag in list(aws.TypeTag):
            with pytest.raises(aws.SerDesError):
                theirs.decode(aws.TypeTag(tag), "x")
    with pytest.raises(SerDesError, match="is none of"):
        codec.encode([1])


def test_a_batch_has_an_envelope() -> None:
    batch = BatchResult[Any].from_dict(EMPTY_BATCH)
    encoded = TYPE_CODEC.encode(batch)
    assert encoded.tag is TypeTag.BATCH_RESULT
    assert TYPE_CODEC.decode(encoded.tag, encoded.value) == batch


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (lambda codec, tags: codec.encode([1]), DurableExecutionsError),
        (lambda codec, tags: codec.decode(tags.LIST, [{"t": "i", "v": 1}]), DurableExecutionsError),
    ],
)
def test_a_container_needs_a_dispatcher(act: Callable[..., object], error: type[Exception]) -> None:
    with pytest.raises(error, match="no dispatcher"):
        act(ContainerCodec(), TypeTag)
    with pytest.raises(AwsDurableExecutionsError):
        act(aws.ContainerCodec(), aws.TypeTag)


def test_what_is_in_a_container_goes_to_its_dispatcher() -> None:
    class Doubling:
        """Takes everything for text."""

        def encode(self, obj: Any) -> EncodedValue:
            return EncodedValue(TypeTag.STR, f"{obj}{obj}")

        def decode(self, tag: TypeTag, value: Any) -> Any:
            return f"{value}!"

    codec = ContainerCodec()
    codec.set_dispatcher(Doubling())
    assert codec.encode({"a": 1}).value == {"a": EncodedValue(TypeTag.STR, "11")}
    assert codec.decode(TypeTag.LIST, [{"t": "s", "v": "a"}, "b"]) == ["a!", "b"]


@pytest.mark.parametrize(
    "act",
    [
        lambda codec, tags: codec.encode(5),
        lambda codec, tags: codec.encode({(1, 2): 3}),
        lambda codec, tags: codec.decode(tags.INT, 5),
        lambda codec, tags: codec.decode(tags.LIST, {}),
        lambda codec, tags: codec.decode(tags.TUPLE, {}),
        lambda codec, tags: codec.decode(tags.DICT, []),
    ],
)
def test_what_a_container_refuses_it_refuses_as_awss_does(act: Callable[..., object]) -> None:
    with pytest.raises(SerDesError):
        act(TYPE_CODEC.container_codec, TypeTag)
    with pytest.raises(aws.SerDesError):
        act(aws.TYPE_CODEC.container_codec, aws.TypeTag)

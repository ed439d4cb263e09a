"""Classes of every kind that the default serdes knows, at the top of a module as a user's are."""

import dataclasses
import enum
import functools
import re
from collections import namedtuple
from datetime import date, datetime
from decimal import Decimal
from ipaddress import IPv4Address
from re import Pattern
from typing import Any, ClassVar, Generic, NamedTuple, TypeVar

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pydantic.v1

T = TypeVar("T")


class Opaque:
    """A class of no kind that the serdes knows, as a client or a lock would be."""


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"
    MIXED = (255, 128, 0)


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


class Status(enum.StrEnum):
    PAID = "paid"
    SENT = "sent"


class Right(enum.Flag):
    READ = enum.auto()
    WRITE = enum.auto()
    RUN = enum.auto()


class Point(NamedTuple):
    x: int
    y: float = 0.0


Pair = namedtuple("Pair", ["left", "right"])


@dataclasses.dataclass
class Line:
    sku: str
    quantity: int
    price: Decimal
    tags: set[str] = dataclasses.field(default_factory=set)


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    kinds: ClassVar[int] = 3

    order_id: str
    lines: list[Line]
    placed: datetime
    status: Status = Status.PAID
    counts: dict[int, str] = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Rush(Line):
    until: date | None = None


@dataclasses.dataclass
class Indexed:
    """Makes more than its fields after it is made, and one field that nobody gives."""

    names: list[str]
    number: int = dataclasses.field(init=False)
    price: int = 100

    def __post_init__(self) -> None:
        self.by_name = {name: place for place, name in enumerate(self.names)}
        self.number = next(NUMBERS)
        self.price *= 2


NUMBERS = iter(range(1_000_000))


@dataclasses.dataclass
class Hashed:
    secret: dataclasses.InitVar[str]
    digest: str = ""

    def __post_init__(self, secret: str) -> None:
        self.digest = secret[::-1]


@dataclasses.dataclass
class Lazy:
    given: int
    later: int = dataclasses.field(init=False)


@dataclasses.dataclass(init=False)
class Handmade:
    total: int
    note: str = "none"

    def __init__(self, parts: list[int]) -> None:
        self.total = sum(parts)


@dataclasses.dataclass
class Box(Generic[T]):
    content: T


class Outer:
    @dataclasses.dataclass
    class Inner:
        value: int


@dataclasses.dataclass
class Failure(Exception):
    code: int


@pydantic.dataclasses.dataclass
class Checked:
    amount: int


@attrs.define
class Parcel:
    weight: float
    _owner: str = "nobody"
    items: list[Any] = attrs.field(factory=list)


@attrs.frozen(cache_hash=True)
class Label:
    text: str
    size: int = 3


@attrs.define(slots=False, unsafe_hash=True, cache_hash=True)
class DictLabel:
    text: str


@attrs.define(slots=False)
class Plain:
    when: datetime = attrs.field(converter=lambda text: datetime.fromisoformat(text))
    seen: int = attrs.field(init=False, default=0)


@attrs.define
class Summed:
    parts: list[int]
    total: int = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        self.total = sum(self.parts)


class Event(msgspec.Struct):
    name: str
    at: datetime
    extra: dict[str, Any] = {}
    note: str | msgspec.UnsetType = msgspec.UNSET


class Fixed(msgspec.Struct, frozen=True, kw_only=True, tag="fixed"):
    number: int
    label: str = "x"

    def __post_init__(self) -> None:
        if self.number == 13:
            msgspec.structs.force_setattr(self, "number", 12)


class Customer(pydantic.BaseModel):
    name: str
    born: date | None = None
    limits: dict[int, Decimal] = {}
    rights: frozenset[str] = frozenset()
    hidden: str = pydantic.Field(default="h", exclude=True)
    _cache: dict[str, int] = pydantic.PrivateAttr(default_factory=dict)


class Member(Customer):
    level: Level


class Club(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(frozen=True)

    members: list[Customer]
    founder: Customer | None = None


class Aliased(pydantic.BaseModel):
    first: str = pydantic.Field(alias="second")
    second: str = pydantic.Field(alias="first")
    once: str = pydantic.Field(validation_alias="o", serialization_alias="p", default="")

    @pydantic.field_validator("once")
    @classmethod
    def _exclaim(cls, value: str) -> str:
        return f"{value}!"


class Open(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="allow")

    known: int = 0


class Numbers(pydantic.RootModel[list[int]]):
    pass


class Crate(pydantic.BaseModel, Generic[T]):
    content: T

    @functools.cached_property
    def size(self) -> int:
        return len(str(self.content))


class Site(pydantic.BaseModel):
    """Has fields that only pydantic can write."""

    url: pydantic.HttpUrl
    address: IPv4Address
    visits: int = 0


class Login(pydantic.BaseModel):
    user: str
    password: pydantic.SecretStr


class Holder(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(arbitrary_types_allowed=True)

    thing: Opaque


class OldCustomer(pydantic.v1.BaseModel):
    name: str
    born: date | None = None
    thing: Any = None
    alias: str = pydantic.v1.Field(default="a", alias="name2")


class OldOpen(pydantic.v1.BaseModel):
    class Config:
        extra = "allow"

    known: int = 0


class OldSite(pydantic.v1.BaseModel):
    """Has a field that only pydantic can write."""

    pattern: Pattern  # type: ignore[type-arg]  # all that version 1 takes
    visits: int = 0


def stable_repr(value: object) -> str:
    """Return a test's id for a value: the same in every process."""
    return re.sub(r" at 0x[0-9a-f]+", "", repr(value))

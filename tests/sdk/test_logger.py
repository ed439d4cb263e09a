"""The logger of a context: its place in every line, silence on replay."""

import logging
from collections.abc import Iterator
from typing import Any, NamedTuple

import aws_durable_execution_sdk_python.logger as aws_logger
import pytest

import perdure.logger

METHODS = ("debug", "info", "warning", "error", "exception")
ARN = "arn:aws:lambda:eu-west-1:123456789012:function:f:1/durable-execution/n/e-1"
BOTH = pytest.mark.parametrize("module", [perdure.logger, aws_logger], ids=["ours", "AWS's"])


class Execution(NamedTuple):
    durable_execution_arn: str = ARN


class Identity(NamedTuple):
    operation_id: str = "op"
    parent_id: str | None = None
    name: str | None = None


class Plain:
    """A logger that is not the standard library's, and takes no more than it must."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, object, tuple[object, ...], Any]] = []

    def __getattr__(self, method: str) -> Any:
        if method not in METHODS:
            raise AttributeError(method)

        def log(msg: object, *args: object, extra: Any = None) -> None:
            self.lines.append((method, msg, args, extra))

        return log


PLACES = [
    {},
    {"parent_id": "p"},
    {"operation_id": "o", "name": "n", "attempt": 1},
    {"operation_id": "", "name": "", "parent_id": "", "attempt": 0},
    {"parent_id": "p", "operation_id": "o", "name": "n", "attempt": 3},
]


@pytest.mark.parametrize("place", PLACES, ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_lines_say_where_they_belong_as_awss_do(method: str, place: dict[str, Any]) -> None:
    lines: list[Any] = []
    for module in (perdure.logger, aws_logger):
        plain = Plain()
        info = module.LogInfo(Execution(), **place)  # type: ignore[arg-type]
        logger = module.Logger.from_log_info(plain, info)  # type: ignore[arg-type]
        getattr(logger, method)("one")
        getattr(logger, method)("%s and %s", 1, 2, extra={"attempt": "mine", "more": True})
        lines.append(plain.lines)

    assert lines[0] == lines[1]
    assert lines[0][0][3]["executionArn"] == ARN
    assert lines[0][1][3]["more"] is True


@BOTH
def test_the_place_of_an_operation(module: Any) -> None:
    plain = Plain()
    info = module.LogInfo.from_operation_identifier(Execution(), Identity("o", "p", "n"), 2)

    module.Logger.from_log_info(plain, info.with_parent_id("other")).info("here")

    assert plain.lines[0][3] == {
        "executionArn": ARN,
        "parentId": "other",
        "operationName": "n",
        "attempt": 2,
        "operationId": "o",
    }
    assert info.parent_id == "p"
    assert info == module.LogInfo(Execution(), "p", "o", "n", 2)


@BOTH
@pytest.mark.parametrize("method", METHODS)
def test_a_replay_says_nothing_until_it_is_over(module: Any, method: str) -> None:
    plain, is_replaying = Plain(), [True]
    root = module.Logger(plain, {"a": 1}, lambda: is_replaying[0])
    place = root.with_log_info(module.LogInfo(Execution()))
    child = root.with_is_replaying(lambda: False)

    for logger in (root, place, child):
        getattr(logger, method)("line")
    is_replaying[0] = False
    getattr(root, method)("after")

    assert [(line[1], line[3]) for line in plain.lines] == [("line", {"a": 1}), ("after", {"a": 1})]
    assert root.get_logger() is plain


@BOTH
def test_a_logger_by_itself_never_replays(module: Any) -> None:
    plain = Plain()
    module.Logger(plain, {}).with_log_info(module.LogInfo(Execution())).info("line")

    assert len(plain.lines) == 1


@pytest.fixture
def author() -> Iterator[logging.Logger]:
    """The author's logger, with a level of his own."""
    logger = logging.getLogger("author")
    logger.setLevel(logging.INFO)
    yield logger
    logger.setLevel(logging.NOTSET)


@pytest.mark.parametrize("is_adapted", [False, True])
def test_a_line_is_the_caller_s_and_obeys_his_levels(
    author: logging.Logger, is_adapted: bool, caplog: pytest.LogCaptureFixture
) -> None:
    target: Any = logging.LoggerAdapter(author) if is_adapted else author
    logger = perdure.logger.Logger(target, {"attempt": 1})
    logger.debug("too low")
    logger.info("one")
    logger.warning("two %d", 2)
    logger.error("three")
    try:
        raise ValueError("no")
    except ValueError:
        logger.exception("four")

    assert [record.getMessage() for record in caplog.records] == ["one", "two 2", "three", "four"]
    assert {record.funcName for record in caplog.records} == {
        "test_a_line_is_the_caller_s_and_obeys_his_levels"
    }
    assert caplog.records[-1].exc_info is not None
    if not is_adapted:  # an adapter puts its own extra in place of ours
        assert {record.__dict__["attempt"] for record in caplog.records} == {1}


def test_a_logger_with_methods_of_its_own_is_called_as_it_can_be() -> None:
    class Own(logging.Logger):
        def info(self, msg: object, *args: object, extra: Any = None) -> None:  # type: ignore[override]
            lines.append(extra)

    lines: list[Any] = []
    perdure.logger.Logger(Own("own"), {"a": 1}).info("line")

    assert lines == [{"a": 1}]

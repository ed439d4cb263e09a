"""The article's functions, in every case, run for real: created with boto3, and under ``dev``.

A registration looks every five seconds, ten times at most, so the longest cases take 50 seconds.
All cases of all ways run at the same time; each test waits for its own.
"""

import io
import itertools
import json
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from perdure.cli.demo import OUTSIDE_URL, is_greeting, is_registration
from perdure.cli.stand_in import NEVER, StandIn
from tests.cli.commands import running
from tests.serving import client

from .article import EVENT, TIMED_OUT

pytestmark = [pytest.mark.service, pytest.mark.timeout(240)]

ROOT: Final = Path(__file__).parents[2]
INVOKE_SECONDS: Final = 150
WAYS: Final = ("created", "developed")
PYTHON: Final = f"python{sys.version_info.major}.{sys.version_info.minor}"
LANGUAGES: Final = {"javascript": ("mjs", "nodejs24.x"), "python": ("py", PYTHON)}
HELLO_LINES: Final = ("Hello from step #1", "Waited for 1 second")


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """An example, what its service answers, and what is right then."""

    example: str
    event: Any
    pending: int | str
    looks: int


CASES: Final = {
    "hello": Case(example="hello", event={}, pending=0, looks=0),
    "at-once": Case(example="user_registration", event=EVENT, pending=0, looks=1),
    "tenth": Case(example="user_registration", event=EVENT, pending=9, looks=10),
    "never": Case(example="user_registration", event=EVENT, pending=NEVER, looks=10),
}


@dataclass(frozen=True, slots=True)
class Run:
    """One case of an example in one language, deployed in one way."""

    way: str
    language: str
    case_name: str

    @property
    def case(self) -> Case:
        """The case."""
        return CASES[self.case_name]

    @property
    def name(self) -> str:
        """The function's name, which no other has."""
        return f"seed-{self.way}-{self.language}-{self.case_name}"

    def code(self, stand_in: StandIn) -> bytes:
        """Return the example's code; the outside URL is all that is changed."""
        suffix, _ = LANGUAGES[self.language]
        example = self.case.example
        file = ROOT / "examples" / example / self.language / f"{example}.{suffix}"
        url = stand_in.url(self.name, pending=self.case.pending)
        return file.read_text().replace(OUTSIDE_URL, url).encode()


RUNS: Final = [Run(*parts) for parts in itertools.product(WAYS, LANGUAGES, CASES)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What an invocation gave."""

    error: str | None
    payload: Any
    status: str
    looks: int
    orders: list[Any]
    lines: list[str]  #: of the log, those that hello world writes


Answers = dict[Run, "Future[Answer]"]


def create(run: Run, url: str, code: bytes) -> None:
    """Create a function with boto3, and wait until it is active."""
    suffix, runtime = LANGUAGES[run.language]
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr(f"index.{suffix}", code)
    api = client("lambda", url)
    api.create_function(
        FunctionName=run.name,
        Runtime=runtime,
        Handler="index.handler",
        Role="arn:aws:iam::123456789012:role/seed",
        Code={"ZipFile": archive.getvalue()},
        Timeout=60,
        MemorySize=512,
        LoggingConfig={"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
        DurableConfig={"ExecutionTimeout": 300, "RetentionPeriodInDays": 1},
    )
    waiter = api.get_waiter("function_active_v2")
    waiter.wait(FunctionName=run.name, WaiterConfig={"Delay": 1})


def invoke(run: Run, url: str, stand_in: StandIn) -> Answer:
    """Invoke a function with boto3, wait for its execution, and return all there is to look at."""
    api, logs = client("lambda", url, timeout=INVOKE_SECONDS), client("logs", url)
    payload = json.dumps(run.case.event).encode()
    answer = api.invoke(FunctionName=run.name, Qualifier="$LATEST", Payload=payload)
    execution = api.get_durable_execution(DurableExecutionArn=answer["DurableExecutionArn"])
    events = logs.filter_log_events(logGroupName=f"/aws/lambda/{run.name}")["events"]
    messages = [json.loads(event["message"]).get("message") for event in events]
    return Answer(
        error=answer.get("FunctionError"),
        payload=json.loads(answer["Payload"].read()),
        status=execution["Status"],
        looks=stand_in.looks(run.name),
        orders=[order.data for order in stand_in.orders(run.name)],
        lines=[message for message in messages if message in HELLO_LINES],
    )


@pytest.fixture(scope="module")
def demonstration() -> Iterator["subprocess.Popen[str]"]:
    """``make demo``, under way."""
    with subprocess.Popen(
        [sys.executable, "-m", "perdure.cli.demo"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        yield process
        process.kill()


@pytest.fixture(scope="module")
def answers(perdure_endpoint: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Answers]:
    """All invocations, under way."""
    folder = tmp_path_factory.mktemp("seed")
    with StandIn() as stand_in, ThreadPoolExecutor(len(RUNS)) as pool:
        for run in RUNS:
            if run.way == "created":
                create(run, perdure_endpoint, run.code(stand_in))
            else:
                file = folder / f"{run.name}.{LANGUAGES[run.language][0]}"
                file.write_bytes(run.code(stand_in))
        with running("dev", ".", "--port", "0", folder=folder) as dev:
            urls = {"created": perdure_endpoint, "developed": dev.url()}
            yield {run: pool.submit(invoke, run, urls[run.way], stand_in) for run in RUNS}


def runs_of(*names: str) -> pytest.MarkDecorator:
    """Give a test the runs of the cases called ``names``."""
    return pytest.mark.parametrize(
        "run",
        [run for run in RUNS if run.case_name in names],
        ids=lambda run: run.name.removeprefix("seed-"),
    )


@runs_of("hello")
@pytest.mark.usefixtures("demonstration")
def test_hello_world_says_hello(answers: Answers, run: Run) -> None:
    answer = answers[run].result()

    assert (answer.error, answer.status) == (None, "SUCCEEDED")
    assert is_greeting(answer.payload)
    assert sorted(answer.lines) == sorted(HELLO_LINES), "each is written once, whatever is replayed"


@runs_of("at-once", "tenth")
def test_a_registration_gives_the_articles_result(answers: Answers, run: Run) -> None:
    answer = answers[run].result()

    assert (answer.error, answer.status) == (None, "SUCCEEDED")
    assert is_registration(answer.payload)
    assert answer.looks == run.case.looks
    (order,) = answer.orders
    assert order.pop("timestamp").endswith("Z")
    assert order == {
        "username": EVENT["username"],
        "email": EVENT["email"],
        "message": "非同期処理を開始",
    }


@runs_of("never")
def test_a_registration_that_is_never_processed_times_out(answers: Answers, run: Run) -> None:
    answer = answers[run].result()

    assert (answer.error, answer.status) == ("Unhandled", "FAILED")
    assert answer.payload["errorMessage"] == TIMED_OUT
    assert answer.looks == run.case.looks
    assert len(answer.orders) == 1


def test_the_demonstration_shows_that_all_results_are_right(
    demonstration: "subprocess.Popen[str]",
) -> None:
    text, _ = demonstration.communicate(timeout=INVOKE_SECONDS)

    assert demonstration.returncode == 0, text
    assert text.count("the result is right\n") == 6
    assert text.count("SUCCEEDED") > 6
    assert text.endswith("All results are right.\n")

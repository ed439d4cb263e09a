"""The demonstration: a service on an empty folder runs the examples, and their results are checked.

Hello world and user registration, each in JavaScript and in Python. The registration asks a service
outside, which ``StandIn`` plays: once it answers at once, once only at the tenth look. All run at
the same time, through CreateFunction and Invoke.
"""

import json
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, NoReturn

import click

from perdure.cli.archive import zip_code
from perdure.cli.client import Client
from perdure.cli.deploy import deploy_source
from perdure.cli.discovery import discover
from perdure.cli.endpoint import DEFAULT_REGION, Endpoint
from perdure.cli.errors import CommandError, ExitCode, reading
from perdure.cli.output import Output
from perdure.cli.progress import HistoryFollower, draw
from perdure.cli.sources import FunctionSource
from perdure.cli.stand_in import StandIn
from perdure.cli.timeline import fold
from perdure.protocol.invocations import InvokeResponse

__all__ = ["OUTSIDE_URL", "is_greeting", "is_registration", "localized", "main"]

#: Where the article's registration sends its requests.
OUTSIDE_URL: Final = "https://kameda.requestcatcher.com"
_PENDING: Final = 9  #: looks at a job that is not done, where the service takes its time
_READY_SECONDS: Final = 60
_SHUTDOWN_SECONDS: Final = 30
_REPORT_SECONDS: Final = 10
_INSTANT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)
_FILES: Final = (
    ("hello", "javascript", "mjs"),
    ("hello", "python", "py"),
    ("user_registration", "javascript", "mjs"),
    ("user_registration", "python", "py"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One invocation of an example."""

    name: str
    file: Path
    event: bytes
    is_right: Callable[[object], bool]
    pending: int = 0


@click.command()
@click.option(
    "--examples",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("examples"),
    show_default=True,
    help="The folder with the examples.",
)
def main(examples: Path) -> None:
    """Run the examples on a service of their own, and check their results.

    Exit codes: 0 all results are right, 1 one is not.
    """
    output = Output(is_json=False)
    runs = _runs(examples)
    with tempfile.TemporaryDirectory(prefix="perdure-demo-") as folder, StandIn() as stand_in:
        output.raw("Starting a service on an empty folder.")
        with _service(Path(folder) / "data") as url:
            output.raw(f"It is ready at {url}, its console at {url}/console.")
            output.raw(f"Deploying {len(runs)} functions.")
            client = Client(Endpoint(url=url, region=DEFAULT_REGION, source="the demonstration"))
            for run in runs:
                outside = stand_in.url(run.name, pending=run.pending)
                source = localized(run.file, run.name, outside, Path(folder))
                deploy_source(client, source, zip_code(source.folder))
            is_right = _invoke_all(output, client, runs, stand_in)
        output.raw("The service has stopped.")
    if not is_right:
        _fail(output)
    output.raw("All results are right.")


def localized(file: Path, name: str, outside_url: str, folder: Path) -> FunctionSource:
    """Return a copy of an example below ``folder``, called ``name``, that asks ``outside_url``.

    That URL is all that is changed.
    """
    copy = folder / name / file.name
    copy.parent.mkdir()
    with reading(file):
        text = file.read_text(encoding="utf-8")
    copy.write_text(text.replace(OUTSIDE_URL, outside_url), encoding="utf-8")
    (source,) = discover(copy)
    return replace(source, name=name)


def is_greeting(result: object) -> bool:
    """Tell whether this is what hello world returns."""
    return result == {"statusCode": 200, "body": '"Hello from Durable Lambda!"'}


def is_registration(result: object) -> bool:
    """Tell whether this is what the article shows for its event; only ``processedAt`` varies."""
    match result:
        case {"jobResult": {"data": {"processedAt": str() as processed_at}}}:
            pass
        case _:
            return False
    user = {"username": "太郎", "email": "taro@example.com"}
    return _INSTANT.fullmatch(processed_at) is not None and result == {
        "status": "completed",
        **user,
        "message": "ようこそ、太郎さん!外部システムの処理が完了し、登録が完了しました。",
        "jobResult": {
            "completed": True,
            "status": "success",
            "data": {**user, "processedAt": processed_at},
        },
        "totalWaitTime": "約5秒",
    }


def _runs(examples: Path) -> list[_Run]:
    event_file = examples / "user_registration" / "event.json"
    with reading(event_file):
        event = event_file.read_bytes()
    runs: list[_Run] = []
    for example, language, suffix in _FILES:
        file = examples / example / language / f"{example}.{suffix}"
        name = f"{example.replace('_', '-')}-{language}"
        if example == "hello":
            runs.append(_Run(name=name, file=file, event=b"{}", is_right=is_greeting))
            continue
        run = _Run(name=name, file=file, event=event, is_right=is_registration)
        runs += [run, replace(run, name=f"{name}-at-the-tenth-look", pending=_PENDING)]
    return runs


@contextmanager
def _service(data: Path) -> Generator[str]:
    """Run a service on ``data`` in a process of its own, and give its URL."""
    command = [sys.executable, "-m", "perdure.cli.main", "serve", "--port", "0"]
    with subprocess.Popen(
        [*command, "--data", str(data)], stdout=subprocess.PIPE, text=True
    ) as process:
        try:
            assert process.stdout is not None, "it is a pipe"
            is_heard, _, _ = select.select([process.stdout], [], [], _READY_SECONDS)
            line = process.stdout.readline() if is_heard else ""
            if " ready at " not in line:
                raise CommandError(f"the service was not ready after {_READY_SECONDS} s: {line!r}")
            yield line.split(" ready at ")[1].split()[0]
            process.terminate()
            status = process.wait(_SHUTDOWN_SECONDS)
            if status != 0:
                raise CommandError(f"the service ended with {status}")
        finally:
            process.kill()


def _invoke_all(output: Output, client: Client, runs: Sequence[_Run], stand_in: StandIn) -> bool:
    """Invoke all at once, print each as it ends, and tell whether all results are right."""
    began = time.monotonic()
    with ThreadPoolExecutor(len(runs)) as pool:
        running: dict[Future[InvokeResponse], _Run] = {
            pool.submit(
                client.invoke,
                FunctionName=run.name,
                Qualifier="$LATEST",
                DurableExecutionName="demonstration",
                Payload=run.event,
            ): run
            for run in runs
        }
        are_right = True
        while running:
            ended, _ = wait(running, timeout=_REPORT_SECONDS, return_when=FIRST_COMPLETED)
            for future in ended:
                run = running.pop(future)
                looks = stand_in.looks(run.name)
                are_right &= _print_run(output, client, run, future.result(), looks=looks)
            if not ended:
                seconds = round(time.monotonic() - began)
                output.raw(f"\n... {seconds} s: {_outstanding(running.values(), stand_in)}")
    return are_right


def _outstanding(runs: Iterable[_Run], stand_in: StandIn) -> str:
    return ", ".join(f"{run.name} has looked {stand_in.looks(run.name)} times" for run in runs)


def _print_run(
    output: Output, client: Client, run: _Run, answer: InvokeResponse, *, looks: int
) -> bool:
    """Print the result in full and a timeline; tell whether all is as it should be."""
    result = json.loads(answer.payload or b"null")
    is_right = answer.function_error is None and run.is_right(result)
    is_right &= looks == (0 if run.is_right is is_greeting else run.pending + 1)
    verdict = "right" if is_right else "WRONG"
    output.raw(f"\n{run.name}: the result is {verdict}")
    output.document(result)
    follower = HistoryFollower(client, answer.durable_execution_arn or "")
    follower.read()
    output.render(draw("timeline", fold(follower.events)))
    return is_right


def _fail(output: Output) -> NoReturn:
    output.raw("A result is not right.")
    sys.exit(ExitCode.ERROR)


if __name__ == "__main__":
    main()

"""The way to the server: boto3's ``lambda`` and ``logs`` clients, with all that is untyped in them.

Answers come as the shapes of ``protocol`` or as AWS's own dicts, in which instants are
``Timestamp``; what the server refuses comes as a ``CommandError``. It knows no command and prints
nothing.
"""

import http.client
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, Protocol, TypeVar, cast
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import ProxyHandler, build_opener

import boto3  # pyright: ignore[reportMissingTypeStubs]  # boto3 has no types of its own
import botocore.config  # pyright: ignore[reportMissingTypeStubs]  # as above
import botocore.exceptions  # pyright: ignore[reportMissingTypeStubs]  # as above
import botocore.session  # pyright: ignore[reportMissingTypeStubs]  # as above
import click
import msgspec

from perdure.cli.endpoint import Endpoint, is_loopback
from perdure.cli.errors import CommandError, Conflict, NotFound
from perdure.protocol.invocations import InvokeResponse
from perdure.protocol.wire import decode

__all__ = ["Client", "Members", "Timestamp"]

#: What a call is given, or answers, under AWS's names.
Members = Mapping[str, object]
Shape = TypeVar("Shape")

_ATTEMPTS_MAX: Final = 3
_CONNECT_SECONDS: Final = 5
_READ_SECONDS: Final = 60
_INVOKE_SECONDS: Final = 15 * 60 + 30  # a synchronous invocation lasts at most 15 minutes
_ERRORS: Final[Mapping[object, type[CommandError]]] = {
    "ResourceNotFoundException": NotFound,
    "ResourceConflictException": Conflict,
    "DurableExecutionAlreadyStartedException": Conflict,
}
_CLOUD_CREDENTIALS: Final = ("container-role", "iam-role")


class Timestamp(float):
    """An instant on the wire: epoch seconds. ``str`` gives ISO 8601, in UTC."""

    def __str__(self) -> str:
        """Return it to the millisecond."""
        text = datetime.fromtimestamp(self, UTC).isoformat(timespec="milliseconds")
        return text.replace("+00:00", "Z")


class _Body(Protocol):
    def read(self) -> bytes: ...


class _Component(Protocol):
    def set_parser_defaults(self, *, timestamp_parser: Callable[[float], float]) -> None: ...

    def remove(self, name: str) -> None: ...


class _Core(Protocol):
    def get_component(self, name: str) -> _Component: ...

    def get_credentials(self) -> object | None: ...


class _Session(Protocol):
    def client(self, service_name: str, **settings: object) -> object: ...


class Client:
    """Calls one server. May be used from several threads at once."""

    def __init__(self, endpoint: Endpoint) -> None:
        """Make the clients; nothing is sent before the first call."""
        self.url = endpoint.url
        session, has_credentials = _session()
        settings: dict[str, object] = {
            "endpoint_url": endpoint.url,
            "region_name": endpoint.region,
        }
        if not has_credentials:
            settings |= {"aws_access_key_id": "perdure", "aws_secret_access_key": "perdure"}
        self._lambda = session.client("lambda", config=_config(endpoint), **settings)
        self._logs = session.client("logs", config=_config(endpoint), **settings)
        #: Invocations may take long, and are never sent twice.
        self._invoker = session.client(
            "lambda", config=_config(endpoint, read_timeout=_INVOKE_SECONDS), **settings
        )

    def call(self, operation: str, **parameters: object) -> dict[str, object]:
        """Return what the call ``operation`` of Lambda's API answers; None is not sent.

        Raises:
            NotFound: there is no such thing.
            Conflict: there is one already, or its state forbids the call.
            CommandError: the server refused it otherwise, or cannot be reached.
        """
        return self._call(self._lambda, operation, parameters)

    def call_logs(self, operation: str, **parameters: object) -> dict[str, object]:
        """Return what the call ``operation`` of the logs' API answers; raises as ``call``."""
        return self._call(self._logs, operation, parameters)

    def fetch(self, shape: type[Shape], operation: str, **parameters: object) -> Shape:
        """Return the answer of ``operation`` as a ``shape``; raises as ``call``."""
        return decode(shape, self.call(operation, **parameters))

    def pages(self, operation: str, **parameters: object) -> Iterator[dict[str, object]]:
        """Yield each page that ``operation`` answers; raises as ``call``."""
        marker: object = None
        while True:
            page = self.call(operation, Marker=marker, **parameters)
            yield page
            marker = page.get("NextMarker")
            if not marker:
                return

    def invoke(self, **parameters: object) -> InvokeResponse:
        """Return what Invoke answers; raises as ``call``."""
        answer = self._call(self._invoker, "invoke", parameters)
        return InvokeResponse(
            status_code=cast("int", answer["StatusCode"]),
            function_error=cast("str | None", answer.get("FunctionError")),
            log_result=cast("str | None", answer.get("LogResult")),
            payload=cast("bytes", answer["Payload"]),
            executed_version=cast("str | None", answer.get("ExecutedVersion")),
            durable_execution_arn=cast("str | None", answer.get("DurableExecutionArn")),
        )

    def read_console(self, path: str, **query: str) -> dict[str, object]:
        """Return the JSON that the console's route ``path`` answers.

        Raises:
            NotFound: there is no such thing.
            CommandError: the server refused it otherwise, has no console, or cannot be reached.
        """
        url = f"{self.url.rstrip('/')}/console/api/{path}?{urlencode(query)}"
        handlers = [ProxyHandler({})] if is_loopback(urlsplit(self.url).hostname or "") else []
        try:
            with build_opener(*handlers).open(url, timeout=_READ_SECONDS) as answer:
                return msgspec.json.decode(answer.read(), type=dict[str, object])
        except HTTPError as error:
            raise _refused_by_console(error) from error
        except (URLError, OSError, http.client.HTTPException) as error:
            raise CommandError(
                f"no server answers at {self.url}: {getattr(error, 'reason', error)}"
            ) from error
        except msgspec.DecodeError as error:
            raise CommandError(f"{self.url} answers something that is not JSON") from error

    def _call(self, client: object, operation: str, parameters: Members) -> dict[str, object]:
        given = {name: value for name, value in parameters.items() if value is not None}
        method = cast("Callable[..., dict[str, object]]", getattr(client, operation))
        try:
            answer = method(**given)
            if operation == "invoke":
                answer["Payload"] = cast("_Body", answer["Payload"]).read()
        except botocore.exceptions.ClientError as error:
            raise _refused(cast("Mapping[str, Members]", error.response)) from error  # pyright: ignore[reportUnknownMemberType]  # as above
        except botocore.exceptions.ParamValidationError as error:
            raise click.UsageError(" ".join(str(error).split())) from error
        except botocore.exceptions.BotoCoreError as error:
            raise CommandError(self._unanswered(error)) from error
        answer.pop("ResponseMetadata", None)
        return answer

    def _unanswered(self, error: Exception) -> str:
        if isinstance(error, botocore.exceptions.EndpointConnectionError):
            return f"no server answers at {self.url}; `perdure serve` or `perdure dev` starts one"
        return f"{self.url} did not answer: {error}"


def _session() -> tuple[_Session, bool]:
    """Return a session, and whether it has found credentials."""
    core = cast("_Core", botocore.session.get_session())  # pyright: ignore[reportUnknownMemberType]  # as above
    core.get_component("response_parser_factory").set_parser_defaults(timestamp_parser=Timestamp)
    for provider in _CLOUD_CREDENTIALS:  # asking for them takes seconds where there are none
        core.get_component("credential_provider").remove(provider)
    session = cast("_Session", boto3.Session(botocore_session=core))
    return session, core.get_credentials() is not None


def _config(endpoint: Endpoint, *, read_timeout: int | None = None) -> object:
    settings: dict[str, object] = {
        "connect_timeout": _CONNECT_SECONDS,
        "read_timeout": read_timeout or _READ_SECONDS,
        "retries": {
            "mode": "standard",
            "total_max_attempts": 1 if read_timeout else _ATTEMPTS_MAX,
        },
    }
    if is_loopback(endpoint.host):
        settings["proxies"] = {}  # a proxy's loopback is not ours
    return cast("Callable[..., object]", botocore.config.Config)(**settings)


def _refused(response: Mapping[str, Members]) -> CommandError:
    error = response.get("Error", {})
    code = error.get("Code")
    message = error.get("Message") or "the server gives no reason"
    return _ERRORS.get(code, CommandError)(f"{message} ({code})")


def _refused_by_console(error: HTTPError) -> CommandError:
    try:
        document = msgspec.json.decode(error.read(), type=dict[str, object])
    except msgspec.DecodeError:
        document = {}
    code = document.get("type")
    if code is None:
        return CommandError("the server has no console, whose routes this needs (--no-console)")
    message = f"{document.get('message')} ({code})"
    return _ERRORS.get(code, CommandError)(message)

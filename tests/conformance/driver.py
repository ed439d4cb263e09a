"""Deploys the handlers to a Perdure server and lets AWS's conformance suite judge them.

The suite finds and invokes functions as the resources of a CloudFormation stack. A ``Stack`` is one
as far as the suite asks: it creates the functions with plain CreateFunction calls, and resolves
their names. Every judgement is the suite's own ``validate_description``; nothing here compares.
"""

import functools
import io
import os
import secrets
import sys
import zipfile
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import boto3
from aws_durable_execution_conformance_tests.clients import AwsClients
from aws_durable_execution_conformance_tests.config import TESTS_DIR
from aws_durable_execution_conformance_tests.sam import Invoker
from aws_durable_execution_conformance_tests.validate import (
    DescriptionResult,
    discover_test_files,
    validate_description,
)
from botocore.config import Config

from .colour import awaited
from .registry import CONFIGURATION, REQUIREMENTS, TARGETS, handlers_of

REGION: Final = "us-east-1"
QUALIFIER: Final = "$LATEST"
#: ``aws``, ``perdure``, or ``perdure-async``: the same handlers, awaited.
SDK, _, _colour = os.environ.get("PERDURE_CONFORMANCE_SDK", "aws").partition("-")
IS_ASYNC: Final = _colour == "async"
#: How many invocations may share a worker.
RUNS_PER_WORKER: Final = int(os.environ.get("PERDURE_CONFORMANCE_RUNS_PER_WORKER", "1"))
CAPACITY_PROVIDER: Final = "arn:aws:lambda:us-east-1:123456789012:capacity-provider:all"
HANDLERS: Final = Path(__file__).parent / "handlers"

#: One attempt for each call, so that no failure hides behind a retry. A synchronous Invoke may
#: take as long as its execution.
CLIENT_CONFIG: Final = Config(
    retries={"total_max_attempts": 1}, read_timeout=300, max_pool_connections=64
)

DEFAULTS: Final[dict[str, Any]] = {
    "Runtime": f"python{sys.version_info.major}.{sys.version_info.minor}",
    "Role": "arn:aws:iam::123456789012:role/conformance",
    "Timeout": 60,
    "LoggingConfig": {"LogFormat": "JSON", "ApplicationLogLevel": "INFO"},
    "DurableConfig": {"ExecutionTimeout": 600, "RetentionPeriodInDays": 1},
}


@functools.cache
def requirement_files() -> dict[str, str]:
    """Return the file of each requirement by its id, in the order of their numbers."""
    files = discover_test_files(TESTS_DIR)
    return {key: files[key] for key in sorted(files, key=lambda key: [*map(int, key.split("-"))])}


def code() -> bytes:
    """Return the zip file of the handlers' package."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as files:
        for path in sorted(HANDLERS.glob("*.py")):
            source = path.read_text()
            files.writestr(f"{HANDLERS.name}/{path.name}", awaited(source) if IS_ASYNC else source)
    return archive.getvalue()


class Stack:
    """The functions of one run, under names of their own.

    Takes the place of the suite's CloudFormation client; a logical id is a handler's name.
    """

    def __init__(self, endpoint: str, output_dir: Path) -> None:
        self._output_dir = output_dir
        self._name = f"conformance-{secrets.token_hex(4)}"
        self._functions: dict[str, str] = {}
        self._lambda = self._client(endpoint, "lambda")
        self._clients = AwsClients(
            {
                "lambda": self._lambda,
                "logs": self._client(endpoint, "logs"),
                "cloudformation": self,
            }
        )
        self._invoker = Invoker(
            stack_name=self._name, region=REGION, lambda_client=self._lambda, cfn_client=self
        )

    def deploy(self, requirements: Iterable[str]) -> None:
        """Create the functions of ``requirements`` and wait until they are active."""
        handlers = sorted({name for key in requirements for name in handlers_of(key)})
        self._functions = {name: self._function_name(name) for name in handlers}
        create = functools.partial(self._create, archive=code())
        with ThreadPoolExecutor(max_workers=8) as pool:
            list(pool.map(create, handlers))

    def delete(self) -> None:
        """Delete every function that ``deploy`` created."""
        for function_name in self._functions.values():
            self._lambda.delete_function(FunctionName=function_name)

    def judge(self, requirement: str) -> DescriptionResult:
        """Return the suite's judgement of ``requirement``, run against its function."""
        return validate_description(
            function_name=REQUIREMENTS[requirement],
            description_id=requirement,
            test_file=requirement_files()[requirement],
            invoker=self._invoker,
            tmp_dir=str(self._output_dir),
            output_dir=str(self._output_dir),
            region=REGION,
            aws_clients=self._clients,
        )

    def get_paginator(self, operation_name: str) -> "Stack":
        """Return what pages through the stack's resources: the stack itself."""
        assert operation_name == "list_stack_resources", operation_name
        return self

    def paginate(self, **_request: Any) -> Iterator[dict[str, Any]]:
        """Yield all functions in one page, as ListStackResources would."""
        yield {
            "StackResourceSummaries": [
                {
                    "ResourceType": "AWS::Lambda::Function",
                    "LogicalResourceId": handler,
                    "PhysicalResourceId": function_name,
                }
                for handler, function_name in self._functions.items()
            ]
        }

    def describe_stack_resource(self, **request: Any) -> dict[str, Any]:
        """Return the function of one logical id, as DescribeStackResource would."""
        function_name = self._functions[request["LogicalResourceId"]]
        return {"StackResourceDetail": {"PhysicalResourceId": function_name}}

    def _create(self, handler: str, *, archive: bytes) -> None:
        function_name = self._functions[handler]
        request = {**DEFAULTS, **CONFIGURATION.get(handler, {})}
        if RUNS_PER_WORKER > 1:
            request["CapacityProviderConfig"] = {
                "LambdaManagedInstancesCapacityProviderConfig": {
                    "CapacityProviderArn": CAPACITY_PROVIDER,
                    "PerExecutionEnvironmentMaxConcurrency": RUNS_PER_WORKER,
                }
            }
        self._lambda.create_function(
            FunctionName=function_name,
            Handler=f"{HANDLERS.name}.{handler}",
            Code={"ZipFile": archive},
            Environment={"Variables": self._environment()},
            **request,
        )
        self._lambda.get_waiter("function_active_v2").wait(
            FunctionName=function_name, WaiterConfig={"Delay": 1}
        )

    def _environment(self) -> dict[str, str]:
        targets = {
            variable: f"{self._function_name(handler)}:{QUALIFIER}"
            for variable, handler in TARGETS.items()
        }
        return {"PERDURE_CONFORMANCE_SDK": SDK, **targets}

    def _function_name(self, handler: str) -> str:
        return f"{self._name}-{handler.replace('.', '-')}"

    def _client(self, endpoint: str, service: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id="conformance",
            aws_secret_access_key="conformance",
            config=CLIENT_CONFIG,
        )

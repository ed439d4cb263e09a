"""Versions and aliases: an execution ends on the code it began with."""

from pathlib import Path
from typing import Any, Final

import pytest

from tests.service.deployment import PYTHON, closed, code_of, deploy, history, start
from tests.serving import client, eventually, serving

pytestmark = [pytest.mark.service, pytest.mark.timeout(180)]

SOURCE: Final = """
from aws_durable_execution_sdk_python import durable_execution

CODE = "{code}"

@durable_execution
def handler(event, context):
    first = context.step(lambda _: CODE, name="first")
    answer = context.create_callback(name="c").result()
    return f"{{first}} {{CODE}} {{answer}}"
"""


def source(code: str) -> str:
    """Return a function that says which code it is."""
    return SOURCE.format(code=code)


def begin(api: Any, qualifier: str) -> tuple[str, str]:
    """Start an execution; return its ARN and its callback's id, once it waits for it."""
    arn = start(api, "versioned", None, Qualifier=qualifier)

    def look() -> str | None:
        found = [one.get("CallbackStartedDetails") for one in history(api, arn)]
        return next((details["CallbackId"] for details in found if details), None)

    return arn, eventually(look, what="the callback")


def finish(api: Any, execution: tuple[str, str]) -> str:
    """Answer the callback; return the result."""
    arn, callback_id = execution
    api.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"done")
    return closed(api, arn)["Result"]


def change(api: Any, code: str) -> str:
    """Give the function other code, and publish it; return the version."""
    api.update_function_code(FunctionName="versioned", ZipFile=code_of(source(code)))
    waiter = api.get_waiter("function_updated_v2")
    waiter.wait(FunctionName="versioned", WaiterConfig={"Delay": 1})
    return api.publish_version(FunctionName="versioned")["Version"]


def test_an_execution_keeps_its_code(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server:
        api = client("lambda", server.url)
        deploy(api, "versioned", source("one"), Runtime=PYTHON)
        one = api.publish_version(FunctionName="versioned")["Version"]
        api.create_alias(FunctionName="versioned", Name="live", FunctionVersion=one)
        early = [begin(api, qualifier) for qualifier in ("$LATEST", one, "live")]

        two = change(api, "two")
        api.update_alias(FunctionName="versioned", Name="live", FunctionVersion=two)
        late = [begin(api, qualifier) for qualifier in ("$LATEST", two, "live")]
        server.kill()
        server.start()

        assert [finish(api, execution) for execution in early] == ['"one one done"'] * 3
        assert [finish(api, execution) for execution in late] == ['"two two done"'] * 3
        assert finish(api, begin(api, one)) == '"one one done"'
        versions = [
            api.get_durable_execution(DurableExecutionArn=arn)["Version"] for arn, _ in early
        ]
        assert versions == ["$LATEST", one, one]


def test_a_weighted_alias_divides_the_starts(api: Any) -> None:
    deploy(api, "versioned", source("one"))
    one = api.publish_version(FunctionName="versioned")["Version"]
    two = change(api, "two")
    api.create_alias(
        FunctionName="versioned",
        Name="split",
        FunctionVersion=one,
        RoutingConfig={"AdditionalVersionWeights": {two: 0.5}},
    )

    begun = [begin(api, "split") for _ in range(20)]

    versions = {arn: arn.split(":")[-1].partition("/")[0] for arn, _ in begun}
    assert set(versions.values()) == {one, two}
    for arn, callback_id in begun:
        word = "one" if versions[arn] == one else "two"
        assert finish(api, (arn, callback_id)) == f'"{word} {word} done"'

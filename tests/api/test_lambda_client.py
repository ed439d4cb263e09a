"""boto3's Lambda client works: functions live and die, pages and waiters come to an end."""

import io
import urllib.request
import zipfile
from typing import Any

import pytest
from botocore.exceptions import ClientError

from .fakes import FUNCTION_ARN

ROLE = "arn:aws:iam::000000000000:role/r"


def a_zip(text: str = "x") -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(zipfile.ZipInfo("app.py"), text)
    return content.getvalue()


def create(functions: Any, name: str, **changes: Any) -> Any:
    return functions.create_function(
        FunctionName=name,
        Runtime="python3.11",
        Role=ROLE,
        Handler="app.handler",
        Code={"ZipFile": a_zip()},
        **changes,
    )


def code_of(error: pytest.ExceptionInfo[ClientError]) -> tuple[str, int]:
    response = error.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_a_function_lives_and_dies(functions: Any) -> None:
    created = create(
        functions,
        "life",
        Environment={"Variables": {"KEY": "värde"}},
        DurableConfig={"ExecutionTimeout": 60},
        Tags={"a": "1"},
    )
    assert created["ResponseMetadata"]["HTTPStatusCode"] == 201
    assert created["State"] == "Active"
    assert created["DurableConfig"] == {"ExecutionTimeout": 60, "RetentionPeriodInDays": 14}
    for waiter in ("function_active_v2", "function_updated_v2", "function_exists"):
        functions.get_waiter(waiter).wait(FunctionName="life", WaiterConfig={"MaxAttempts": 1})
    shown = functions.get_function(FunctionName=created["FunctionArn"])
    assert shown["Configuration"]["Environment"] == {"Variables": {"KEY": "värde"}}
    assert shown["Tags"] == {"a": "1"}
    with urllib.request.urlopen(shown["Code"]["Location"]) as download:
        assert download.read() == a_zip()
    functions.update_function_configuration(FunctionName="life", Timeout=30, MemorySize=256)
    updated = functions.update_function_code(FunctionName="life", ZipFile=a_zip("2"), Publish=True)
    assert (updated["Version"], updated["Timeout"]) == ("1", 30)
    functions.create_alias(
        FunctionName="life",
        Name="live",
        FunctionVersion="$LATEST",
    )
    assert functions.get_alias(FunctionName="life", Name="live")["FunctionVersion"] == "$LATEST"
    deleted = functions.delete_function(FunctionName="life")
    assert deleted["ResponseMetadata"]["HTTPStatusCode"] == 204
    with pytest.raises(functions.exceptions.ResourceNotFoundException) as error:
        functions.get_function(FunctionName="life")
    assert code_of(error) == ("ResourceNotFoundException", 404)
    assert "Function not found" in error.value.response["Error"]["Message"]


def test_pages_come_to_an_end(functions: Any) -> None:
    names = [f"page-{number:02}" for number in range(7)]
    for name in names:
        create(functions, name, Publish=True)
    pages = functions.get_paginator("list_functions").paginate(PaginationConfig={"PageSize": 3})
    assert [f["FunctionName"] for page in pages for f in page["Functions"]] == names
    pages = functions.get_paginator("list_functions").paginate(
        FunctionVersion="ALL", PaginationConfig={"PageSize": 3}
    )
    assert len([f for page in pages for f in page["Functions"]]) == 14
    pages = functions.get_paginator("list_versions_by_function").paginate(
        FunctionName="page-00", PaginationConfig={"PageSize": 1}
    )
    assert [f["Version"] for page in pages for f in page["Versions"]] == ["$LATEST", "1"]
    pages = functions.get_paginator("list_aliases").paginate(FunctionName="page-00")
    assert [a for page in pages for a in page["Aliases"]] == []
    for name in names:
        functions.delete_function(FunctionName=name)


def test_settings_beside_a_function(functions: Any) -> None:
    create(functions, "beside", Publish=True)
    functions.put_function_concurrency(FunctionName="beside", ReservedConcurrentExecutions=5)
    kept = functions.get_function_concurrency(FunctionName="beside")
    assert kept["ReservedConcurrentExecutions"] == 5
    functions.delete_function_concurrency(FunctionName="beside")
    functions.put_function_event_invoke_config(
        FunctionName="beside", Qualifier="1", MaximumRetryAttempts=0
    )
    config = functions.update_function_event_invoke_config(
        FunctionName="beside", Qualifier="1", MaximumEventAgeInSeconds=60
    )
    assert config["LastModified"].timestamp() == pytest.approx(1_700_000_000.123)
    listed = functions.list_function_event_invoke_configs(FunctionName="beside")
    assert [c["MaximumRetryAttempts"] for c in listed["FunctionEventInvokeConfigs"]] == [0]
    functions.delete_function_event_invoke_config(FunctionName="beside", Qualifier="1")
    arn = FUNCTION_ARN.replace(":function:f", ":function:beside")
    functions.tag_resource(Resource=arn, Tags={"a": "1", "b": "ü"})
    functions.untag_resource(Resource=arn, TagKeys=["a", "x"])
    assert functions.list_tags(Resource=arn)["Tags"] == {"b": "ü"}
    functions.create_alias(
        FunctionName="beside",
        Name="live",
        FunctionVersion="1",
        Description="d",
    )
    functions.update_alias(FunctionName="beside", Name="live", Description="e")
    functions.delete_alias(FunctionName="beside", Name="live")
    assert functions.publish_version(FunctionName="beside")["Version"] == "1"
    assert functions.get_account_settings()["AccountUsage"]["FunctionCount"] >= 1
    functions.delete_function(FunctionName="beside")


@pytest.mark.parametrize(
    ("name", "arguments", "code", "status"),
    [
        ("get_policy", {"FunctionName": "f"}, "InvalidParameterValueException", 400),
        ("list_layers", {}, "InvalidParameterValueException", 400),
        (
            "invoke_with_response_stream",
            {"FunctionName": "f"},
            "InvalidParameterValueException",
            400,
        ),
        ("get_function", {"FunctionName": "nobody"}, "ResourceNotFoundException", 404),
        ("list_functions", {"Marker": "!"}, "InvalidParameterValueException", 400),
    ],
)
def test_errors_are_the_models(
    functions: Any, name: str, arguments: dict[str, Any], code: str, status: int
) -> None:
    with pytest.raises(ClientError) as error:
        getattr(functions, name)(**arguments)
    assert code_of(error) == (code, status)
    assert error.value.response["Error"]["Message"]
    assert error.value.response["ResponseMetadata"]["RequestId"]


def test_a_stale_revision_is_412(functions: Any) -> None:
    create(functions, "stale")
    with pytest.raises(functions.exceptions.PreconditionFailedException) as error:
        functions.publish_version(FunctionName="stale", RevisionId="x")
    assert code_of(error) == ("PreconditionFailedException", 412)
    functions.delete_function(FunctionName="stale")

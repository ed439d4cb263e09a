"""Functions are created with AWS's defaults, changed by revision, and removed with all they had."""

from typing import Any

import pytest

from perdure.core.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from perdure.engine.functions.errors import PreconditionFailed
from perdure.protocol import configurations as shapes
from perdure.protocol.function_states import LastUpdateStatus, State
from perdure.protocol.functions import (
    DeleteFunctionRequest,
    FunctionCode,
    FunctionVersionLatestPublished,
    GetFunctionConfigurationRequest,
    GetFunctionRequest,
    ListedVersions,
    ListFunctionsRequest,
    PublishVersionRequest,
    UpdateFunctionCodeRequest,
    UpdateFunctionConfigurationRequest,
)
from perdure.protocol.runtimes import Runtime
from perdure.protocol.setting_words import (
    ApplicationLogLevel,
    Architecture,
    LogFormat,
    PackageType,
    SnapStartApplyOn,
    SnapStartOptimizationStatus,
    SystemLogLevel,
    TracingMode,
)

from .builders import ARN, DURABLE, ROLE, Catalog, a_request, a_zip


@pytest.fixture
def catalog() -> Catalog:
    return Catalog()


def test_a_new_function_has_aws_defaults(catalog: Catalog) -> None:
    created = catalog.create()
    assert created == shapes.FunctionConfiguration(
        function_name="f",
        function_arn=ARN,
        version="$LATEST",
        runtime=Runtime.PYTHON3_11,
        role=ROLE,
        handler="app.handler",
        description="",
        timeout=3,
        memory_size=128,
        package_type=PackageType.ZIP,
        architectures=(Architecture.X86_64,),
        ephemeral_storage=shapes.EphemeralStorage(size=512),
        tracing_config=shapes.TracingConfig(mode=TracingMode.PASS_THROUGH),
        snap_start=shapes.SnapStartResponse(
            apply_on=SnapStartApplyOn.NONE, optimization_status=SnapStartOptimizationStatus.OFF
        ),
        logging_config=shapes.LoggingConfig(log_format=LogFormat.TEXT, log_group="/aws/lambda/f"),
        state=State.ACTIVE,
        last_update_status=LastUpdateStatus.SUCCESSFUL,
        code_sha256=created.code_sha256,
        code_size=len(a_zip()),
        config_sha256=created.config_sha256,
        last_modified="2023-11-14T22:13:20.123+0000",
        revision_id="00000000-0000-4000-8000-000000000001",
    )


def test_what_is_asked_for_is_kept(catalog: Catalog) -> None:
    asked: dict[str, Any] = {
        "description": "d",
        "timeout": 900,
        "memory_size": 10_240,
        "architectures": (Architecture.ARM64,),
        "ephemeral_storage": shapes.EphemeralStorage(size=1024),
        "dead_letter_config": shapes.DeadLetterConfig(target_arn="arn:aws:sqs:us-east-1:1:q"),
    }
    created = catalog.create(
        **asked,
        environment=shapes.Environment(variables={"KEY": ""}),
        durable_config=DURABLE,
        vpc_config=shapes.VpcConfig(subnet_ids=("subnet-1",)),
        logging_config=shapes.LoggingConfig(log_format=LogFormat.JSON, log_group="mine"),
        tags={"team": "a"},
    )
    assert {name: getattr(created, name) for name in asked} == asked
    assert created.environment == shapes.EnvironmentResponse(variables={"KEY": ""})
    assert created.durable_config == shapes.DurableConfig(
        execution_timeout=3600, retention_period_in_days=14
    )
    assert created.vpc_config == shapes.VpcConfigResponse(
        subnet_ids=("subnet-1",),
        security_group_ids=(),
        vpc_id="",
        ipv6_allowed_for_dual_stack=False,
    )
    assert created.logging_config == shapes.LoggingConfig(
        log_format=LogFormat.JSON,
        application_log_level=ApplicationLogLevel.INFO,
        system_log_level=SystemLogLevel.INFO,
        log_group="mine",
    )
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f"))
    assert shown.configuration == created
    assert shown.tags == {"team": "a"}
    assert shown.code.location == f"http://here/f/{created.code_sha256}"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runtime": None}, "Runtime and Handler are mandatory"),
        ({"handler": None}, "Runtime and Handler are mandatory"),
        ({"runtime": Runtime.JAVA21}, "Runtime java21 is not supported by Perdure; supported are"),
        ({"package_type": PackageType.IMAGE}, "Please don't provide Runtime or Handler"),
        ({"timeout": 901}, r"Timeout is above the limit, 900 \(value: 901\)"),
        ({"memory_size": 10_241}, "MemorySize is above the limit, 10,240"),
        (
            {"ephemeral_storage": shapes.EphemeralStorage(size=10_241)},
            "EphemeralStorage.Size is above the limit",
        ),
        ({"layers": ("arn:aws:lambda:us-east-1:1:layer:l:1",)}, "Layers is not supported"),
        ({"kms_key_arn": "arn:aws:kms:k"}, "KMSKeyArn is not supported"),
        (
            {"publish_to": FunctionVersionLatestPublished.LATEST_PUBLISHED},
            "PublishTo is not supported",
        ),
        (
            {"environment": shapes.Environment(variables={"AWS_REGION": "x", "_HANDLER": "y"})},
            "reserved keys that cannot be set: AWS_REGION, _HANDLER",
        ),
        (
            {"environment": shapes.Environment(variables={"KEY": "x" * 4_087})},
            "is 4,097 bytes of JSON; the limit is 4,096",
        ),
        ({"environment": shapes.Environment(variables={"KEY": "\0"})}, "a NUL character"),
        ({"durable_config": shapes.DurableConfig()}, "ExecutionTimeout is required"),
        (
            {"durable_config": shapes.DurableConfig(execution_timeout=1, kms_key_arn="arn:aws:k:")},
            "DurableConfig.KMSKeyArn is not supported",
        ),
        (
            {"logging_config": shapes.LoggingConfig(system_log_level=SystemLogLevel.INFO)},
            "log levels can only be set with LoggingConfig.LogFormat JSON",
        ),
        ({"code": FunctionCode()}, "ZipFile is required"),
        ({"code": FunctionCode(zip_file=b"no")}, "Could not unzip uploaded file.*it is no zip"),
        ({"code": FunctionCode(s3_bucket="b", s3_key="k")}, "S3Bucket is not supported"),
        ({"code": FunctionCode(image_uri="i")}, "ImageUri is not supported"),
        ({"code": FunctionCode(zip_file=bytes(52_428_801))}, "52,428,801 bytes; the limit is"),
        ({"tags": {"aws:x": "y"}}, "Tags must not start with aws:"),
        ({"tags": {str(i): "" for i in range(51)}}, "Tags has 51 entries; the limit is 50"),
        ({"function_name": "f:live"}, "FunctionName must not have a qualifier"),
        ({"function_name": "f" * 65}, "65 characters long; the limit is 64"),
    ],
)
def test_what_cannot_be_had_is_refused(
    catalog: Catalog, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        catalog.call("create_function", a_request(**changes))
    assert catalog.stored("function") == catalog.stored("code") == []


def test_an_environment_of_4096_bytes_fits(catalog: Catalog) -> None:
    catalog.create(environment=shapes.Environment(variables={"KEY": "x" * 4_086}))


def test_a_name_is_taken_once(catalog: Catalog) -> None:
    catalog.create()
    with pytest.raises(ResourceConflict, match="Function already exist: f"):
        catalog.create()


@pytest.mark.parametrize(
    "identifier", ["f", ARN, "000000000000:function:f", "000000000000:f", "function:f"]
)
def test_a_function_is_found_by_every_form_of_its_name(catalog: Catalog, identifier: str) -> None:
    created = catalog.create()
    request = GetFunctionConfigurationRequest(function_name=identifier)
    assert catalog.call("get_function_configuration", request) == created


@pytest.mark.parametrize(
    ("identifier", "qualifier"),
    [
        ("g", None),
        ("f", "1"),
        ("f", "live"),
        ("f", "01"),
        ("f", "9" * 100),
        ("arn:aws:lambda:eu-west-1:000000000000:function:f", None),
        ("arn:aws:lambda:us-east-1:111111111111:function:f", None),
        ("arn:aws-cn:lambda:us-east-1:000000000000:function:f", None),
    ],
)
def test_what_is_not_there_is_not_found(
    catalog: Catalog, identifier: str, qualifier: str | None
) -> None:
    catalog.create()
    with pytest.raises(ResourceNotFound, match="Function not found: "):
        catalog.call(
            "get_function", GetFunctionRequest(function_name=identifier, qualifier=qualifier)
        )


def test_two_qualifiers_must_agree(catalog: Catalog) -> None:
    catalog.create()
    with pytest.raises(InvalidParameterValue, match=r"\$LATEST and 1"):
        catalog.call("get_function", GetFunctionRequest(function_name="f:$LATEST", qualifier="1"))


def test_a_configuration_is_shown_under_its_qualifier(catalog: Catalog) -> None:
    catalog.create(publish=True)
    for qualifier, version in (("$LATEST", "$LATEST"), ("1", "1")):
        shown = catalog.call(
            "get_function_configuration",
            GetFunctionConfigurationRequest(function_name="f", qualifier=qualifier),
        )
        assert (shown.function_arn, shown.version) == (f"{ARN}:{qualifier}", version)


def test_a_setting_is_changed_and_the_others_stay(catalog: Catalog) -> None:
    created = catalog.create(environment=shapes.Environment(variables={"KEY": "1"}))
    changed = catalog.call(
        "update_function_configuration",
        UpdateFunctionConfigurationRequest(
            function_name="f",
            timeout=60,
            description="",
            revision_id=created.revision_id,
            vpc_config=shapes.VpcConfig(),
            tracing_config=shapes.TracingConfig(mode=TracingMode.ACTIVE),
            snap_start=shapes.SnapStart(apply_on=SnapStartApplyOn.PUBLISHED_VERSIONS),
            logging_config=shapes.LoggingConfig(log_format=LogFormat.JSON),
        ),
    )
    assert (changed.timeout, changed.memory_size) == (60, 128)
    assert changed.environment == created.environment
    assert changed.tracing_config.mode is TracingMode.ACTIVE
    assert changed.logging_config.log_group == "/aws/lambda/f"
    assert changed.revision_id != created.revision_id
    assert changed.config_sha256 != created.config_sha256
    emptied = catalog.call(
        "update_function_configuration",
        UpdateFunctionConfigurationRequest(
            function_name=ARN, environment=shapes.Environment(variables={})
        ),
    )
    assert emptied.environment.variables == {}


def test_durability_is_decided_when_a_function_is_created(catalog: Catalog) -> None:
    catalog.create("durable", durable_config=DURABLE)
    changed = catalog.call(
        "update_function_configuration",
        UpdateFunctionConfigurationRequest(
            function_name="durable",
            durable_config=shapes.DurableConfig(retention_period_in_days=3),
        ),
    )
    assert changed.durable_config == shapes.DurableConfig(
        execution_timeout=3600, retention_period_in_days=3
    )
    catalog.create("plain")
    with pytest.raises(InvalidParameterValue, match="can only be enabled when a function is"):
        catalog.call(
            "update_function_configuration",
            UpdateFunctionConfigurationRequest(function_name="plain", durable_config=DURABLE),
        )


def test_a_stale_revision_changes_nothing(catalog: Catalog) -> None:
    created = catalog.create()
    for name, request in (
        (
            "update_function_configuration",
            UpdateFunctionConfigurationRequest(function_name="f", timeout=9, revision_id="x"),
        ),
        (
            "update_function_code",
            UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip("2"), revision_id="x"),
        ),
        ("publish_version", PublishVersionRequest(function_name="f", revision_id="x")),
    ):
        with pytest.raises(PreconditionFailed):
            catalog.call(name, request)
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f"))
    assert shown.configuration == created


def test_code_is_replaced(catalog: Catalog) -> None:
    created = catalog.create()
    changed = catalog.call(
        "update_function_code",
        UpdateFunctionCodeRequest(
            function_name="f", zip_file=a_zip("2"), architectures=(Architecture.ARM64,)
        ),
    )
    assert changed.code_sha256 != created.code_sha256
    assert changed.architectures == (Architecture.ARM64,)
    assert catalog.wait(catalog.catalog.read_code(changed.code_sha256)) == a_zip("2")


def test_a_dry_run_changes_nothing(catalog: Catalog) -> None:
    created = catalog.create()
    catalog.call(
        "update_function_code",
        UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip("2"), dry_run=True),
    )
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f"))
    assert shown.configuration == created


def test_code_may_be_published_at_once(catalog: Catalog) -> None:
    catalog.create()
    request = UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip("2"), publish=True)
    for _ in range(2):
        published = catalog.call("update_function_code", request)
        assert (published.version, published.function_arn) == ("1", f"{ARN}:1")


def test_a_version_or_alias_has_no_code_to_replace(catalog: Catalog) -> None:
    catalog.create()
    with pytest.raises(InvalidParameterValue, match="permitted on Lambda functions only"):
        catalog.call(
            "update_function_code", UpdateFunctionCodeRequest(function_name="f:1", zip_file=b"")
        )


def test_a_function_goes_with_all_it_had(catalog: Catalog) -> None:
    catalog.create(publish=True)
    catalog.create("f2")
    request = UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip("2"))
    catalog.call("update_function_code", request)
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f"))
    assert catalog.stored("function") == ["f2"]
    assert catalog.stored("version") == catalog.stored("snapshot") == []
    # The first zip is also that of f2.
    assert len(catalog.stored("code")) == len(catalog.stored("code-use")) == 1
    with pytest.raises(ResourceNotFound):
        catalog.call("delete_function", DeleteFunctionRequest(function_name="f"))
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f2"))
    assert catalog.stored("code") == catalog.stored("code-use") == []


def test_functions_are_listed_by_name_in_pages(catalog: Catalog) -> None:
    for name in ("c", "a", "b"):
        catalog.create(name, publish=name == "b")
    listed: list[str] = []
    marker: str | None = None
    while True:
        page = catalog.call("list_functions", ListFunctionsRequest(max_items=2, marker=marker))
        listed += [found.function_name for found in page.functions]
        marker = page.next_marker
        if marker is None:
            break
    assert listed == ["a", "b", "c"]


@pytest.mark.parametrize("page_size", [1, 2, 3, 50])
def test_all_versions_are_listed_once(catalog: Catalog, page_size: int) -> None:
    for name in ("a", "b"):
        catalog.create(name, publish=True)
        catalog.call(
            "update_function_code",
            UpdateFunctionCodeRequest(function_name=name, zip_file=a_zip("2"), publish=True),
        )
    listed: list[tuple[str, str]] = []
    marker: str | None = None
    while True:
        request = ListFunctionsRequest(
            function_version=ListedVersions.ALL, max_items=page_size, marker=marker
        )
        page = catalog.call("list_functions", request)
        listed += [(found.function_name, found.version) for found in page.functions]
        marker = page.next_marker
        if marker is None:
            break
    assert listed == [(name, v) for name in ("a", "b") for v in ("$LATEST", "1", "2")]


@pytest.mark.parametrize("marker", ["!", "é", "_w==", "YTpi"])
def test_a_marker_that_is_not_ours_is_refused_or_ends(catalog: Catalog, marker: str) -> None:
    catalog.create()
    request = ListFunctionsRequest(function_version=ListedVersions.ALL, marker=marker)
    if marker == "YTpi":  # a:b
        assert catalog.call("list_functions", request).next_marker is None
    else:
        with pytest.raises(InvalidParameterValue, match="Marker is not valid"):
            catalog.call("list_functions", request)

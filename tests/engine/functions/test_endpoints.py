"""Functions at endpoints: an image whose URI is a URL."""

from typing import Any

import pytest

from perdure.core.errors import InvalidParameterValue, ResourceNotFound
from perdure.engine.functions import FunctionCatalog
from perdure.protocol.configurations import Environment, FunctionConfiguration
from perdure.protocol.functions import (
    DeleteFunctionRequest,
    FunctionCode,
    GetFunctionRequest,
    PublishVersionRequest,
    UpdateFunctionCodeRequest,
    UpdateFunctionConfigurationRequest,
)
from perdure.protocol.runtimes import Runtime
from perdure.protocol.setting_words import PackageType
from tests.engine.functions.builders import ARN, DURABLE, Catalog, a_zip

URL = "http://orders.test:8080"
OTHER = "https://orders.test/v2"


def check(url: str) -> None:
    """Allow one host."""
    if "orders.test" not in url:
        raise ValueError(f"{url} is not allowed")


@pytest.fixture
def catalog() -> Catalog:
    """A catalog on which endpoints are allowed."""
    made = Catalog()
    assert isinstance(made.catalog, FunctionCatalog)
    made.catalog.allow_endpoints(check)
    return made


def an_endpoint(catalog: Catalog, url: str = URL, **changes: Any) -> FunctionConfiguration:
    """Create the function ``f`` at ``url``."""
    settings: dict[str, Any] = {
        "runtime": None,
        "handler": None,
        "package_type": PackageType.IMAGE,
        "code": FunctionCode(image_uri=url),
        "durable_config": DURABLE,
    }
    return catalog.create(**(settings | changes))


def move(catalog: Catalog, url: str, **changes: Any) -> FunctionConfiguration:
    """Update the function's code."""
    request = UpdateFunctionCodeRequest(function_name="f", image_uri=url, **changes)
    return catalog.call("update_function_code", request)


def test_it_is_shown_as_an_image_at_its_url(catalog: Catalog) -> None:
    created = an_endpoint(catalog)
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f"))
    assert shown.configuration == created
    assert (created.package_type, created.runtime, created.handler) == (
        PackageType.IMAGE,
        None,
        None,
    )
    assert created.code_size == 0
    assert len(created.code_sha256 or "") == 44
    code = shown.code
    assert (code.repository_type, code.image_uri, code.resolved_image_uri, code.location) == (
        "Endpoint",
        URL,
        URL,
        None,
    )
    assert catalog.stored("code") == catalog.stored("code-use") == []


def test_a_version_keeps_its_url(catalog: Catalog) -> None:
    """V1."""
    first = an_endpoint(catalog, publish=True)
    second = move(catalog, OTHER, publish=True)
    assert (first.version, second.version) == ("1", "2")
    assert first.code_sha256 != second.code_sha256
    assert catalog.resolve("f", "1").endpoint_url == URL
    assert catalog.resolve("f", "2").endpoint_url == OTHER
    assert catalog.resolve("f").endpoint_url == OTHER
    assert catalog.resolve_pinned("1", first.code_sha256 or "").endpoint_url == URL


def test_executions_of_latest_stay_at_the_url_they_began_at(catalog: Catalog) -> None:
    """V1."""
    first = an_endpoint(catalog)
    move(catalog, OTHER)
    assert catalog.resolve_pinned("$LATEST", first.code_sha256 or "").endpoint_url == URL
    with pytest.raises(ResourceNotFound, match="is gone"):
        catalog.resolve_pinned("$LATEST", "A" * 43 + "=")


def test_the_same_url_again_makes_no_new_version(catalog: Catalog) -> None:
    an_endpoint(catalog, publish=True)
    assert move(catalog, URL, publish=True).version == "1"
    published = catalog.call("publish_version", PublishVersionRequest(function_name="f"))
    assert published.version == "1"


def test_its_settings_change_and_its_place_stays(catalog: Catalog) -> None:
    an_endpoint(catalog)
    request = UpdateFunctionConfigurationRequest(function_name="f", timeout=60)
    catalog.call("update_function_configuration", request)
    found = catalog.resolve("f")
    assert (found.endpoint_url, found.timeout_seconds) == (URL, 60)


def test_a_dry_run_changes_nothing(catalog: Catalog) -> None:
    an_endpoint(catalog)
    move(catalog, OTHER, dry_run=True)
    assert catalog.resolve("f").endpoint_url == URL


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"runtime": Runtime.PYTHON3_11}, "Please don't provide Runtime or Handler"),
        ({"handler": "app.handler"}, "Please don't provide Runtime or Handler"),
        ({"environment": Environment(variables={"A": "1"})}, "Variables cannot be set"),
        ({"code": FunctionCode(zip_file=a_zip())}, "Please don't provide ZipFile or S3"),
        ({"code": FunctionCode(s3_bucket="b", s3_key="k")}, "Please don't provide ZipFile or S3"),
        ({"code": FunctionCode()}, "must be the http:// or https:// URL of an endpoint"),
        (
            {"code": FunctionCode(image_uri="1.dkr.ecr.us-east-1.amazonaws.com/a:b")},
            "Perdure runs no images",
        ),
        ({"code": FunctionCode(image_uri="http://e.test")}, "http://e.test is not allowed"),
        ({"package_type": None, "runtime": None}, "Runtime and Handler are mandatory"),
        (
            {"package_type": None, "runtime": Runtime.PYTHON3_11, "handler": "a.b"},
            "ImageUri is not supported by Perdure for PackageType Zip",
        ),
    ],
)
def test_what_cannot_be_had_is_refused(
    catalog: Catalog, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        an_endpoint(catalog, **changes)


def test_a_function_does_not_change_what_it_is(catalog: Catalog) -> None:
    an_endpoint(catalog)
    with pytest.raises(InvalidParameterValue, match="Please don't provide ZipFile"):
        catalog.call(
            "update_function_code",
            UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip()),
        )
    catalog.create("g")
    with pytest.raises(InvalidParameterValue, match="ImageUri is not supported"):
        catalog.call(
            "update_function_code", UpdateFunctionCodeRequest(function_name="g", image_uri=URL)
        )
    for name, value in (("runtime", Runtime.PYTHON3_11), ("handler", "a.b")):
        request = UpdateFunctionConfigurationRequest(function_name="f", **{name: value})
        with pytest.raises(InvalidParameterValue, match="Please don't provide Runtime"):
            catalog.call("update_function_configuration", request)


def test_where_nobody_allowed_endpoints_there_are_none() -> None:
    with pytest.raises(InvalidParameterValue, match="endpoints are not allowed on this service"):
        an_endpoint(Catalog())


def test_it_can_be_deleted(catalog: Catalog) -> None:
    an_endpoint(catalog, publish=True)
    move(catalog, OTHER)
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f"))
    for collection in ("function", "version", "snapshot", "code", "code-use"):
        assert catalog.stored(collection) == []
    with pytest.raises(ResourceNotFound):
        catalog.resolve(ARN)

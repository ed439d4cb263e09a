"""Versions are numbered, never change, and keep running executions on the code they began with."""

import pytest

from perdure.core.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from perdure.protocol.aliases import CreateAliasRequest
from perdure.protocol.functions import (
    DeleteFunctionRequest,
    GetFunctionRequest,
    ListVersionsByFunctionRequest,
    PublishVersionRequest,
    UpdateFunctionCodeRequest,
    UpdateFunctionConfigurationRequest,
)

from .builders import ARN, Catalog, a_request, a_zip

HOUR_MS = 60 * 60 * 1000


@pytest.fixture
def catalog() -> Catalog:
    catalog = Catalog()
    catalog.create()
    return catalog


def publish(catalog: Catalog, **changes: str) -> str:
    request = PublishVersionRequest(function_name="f", **changes)
    return catalog.call("publish_version", request).version


def update_code(catalog: Catalog, text: str) -> str:
    request = UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip(text))
    return catalog.call("update_function_code", request).code_sha256


def test_a_version_is_published_once_for_each_change(catalog: Catalog) -> None:
    assert publish(catalog, description="first") == "1"
    assert publish(catalog, description="second") == "1"
    update_code(catalog, "2")
    assert publish(catalog) == "2"
    request = UpdateFunctionConfigurationRequest(function_name="f", timeout=9)
    catalog.call("update_function_configuration", request)
    assert publish(catalog) == "3"
    assert publish(catalog) == "3"


def test_a_version_is_published_of_the_code_that_was_meant(catalog: Catalog) -> None:
    with pytest.raises(InvalidParameterValue, match=r"is different from current CodeSHA256"):
        publish(catalog, code_sha256="x")
    assert publish(catalog, code_sha256=catalog.resolve("f").code_sha256) == "1"


def test_a_number_is_never_given_again(catalog: Catalog) -> None:
    publish(catalog)
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f", qualifier="1"))
    assert publish(catalog) == "2"


def test_a_published_version_does_not_change(catalog: Catalog) -> None:
    publish(catalog)
    before = catalog.resolve("f", "1")
    update_code(catalog, "2")
    request = UpdateFunctionConfigurationRequest(function_name="f", timeout=9)
    catalog.call("update_function_configuration", request)
    assert catalog.resolve("f", "1") == before


def test_versions_are_listed_by_number_in_pages(catalog: Catalog) -> None:
    for number in range(12):
        update_code(catalog, str(number))
        publish(catalog)
    listed: list[str] = []
    marker: str | None = None
    while True:
        page = catalog.call(
            "list_versions_by_function",
            ListVersionsByFunctionRequest(function_name="f", max_items=5, marker=marker),
        )
        listed += [found.version for found in page.versions]
        assert all(found.function_arn == f"{ARN}:{found.version}" for found in page.versions)
        marker = page.next_marker
        if marker is None:
            break
    assert listed == ["$LATEST", *(str(number) for number in range(1, 13))]


@pytest.mark.parametrize(
    ("qualifier", "message"),
    [("$LATEST", "cannot be deleted without"), ("live", "must be a version's number")],
)
def test_only_a_version_is_removed_by_qualifier(
    catalog: Catalog, qualifier: str, message: str
) -> None:
    with pytest.raises(InvalidParameterValue, match=message):
        catalog.call(
            "delete_function", DeleteFunctionRequest(function_name="f", qualifier=qualifier)
        )


def test_removing_a_version_that_is_not_there_is_nothing(catalog: Catalog) -> None:
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f", qualifier="7"))


def test_a_version_with_an_alias_stays(catalog: Catalog) -> None:
    publish(catalog)
    catalog.call(
        "create_alias", CreateAliasRequest(function_name="f", name="live", function_version="1")
    )
    with pytest.raises(ResourceConflict, match="referenced by one or more aliases: live"):
        catalog.call("delete_function", DeleteFunctionRequest(function_name="f", qualifier="1"))


def test_an_execution_of_latest_keeps_its_code_and_settings(catalog: Catalog) -> None:
    first = catalog.resolve("f").code_sha256
    second = update_code(catalog, "2")
    request = UpdateFunctionConfigurationRequest(function_name="f", timeout=9)
    catalog.call("update_function_configuration", request)
    pinned = catalog.resolve_pinned("$LATEST", first)
    assert (pinned.code_sha256, pinned.timeout_seconds) == (first, 3)
    pinned = catalog.resolve_pinned("$LATEST", second)
    assert (pinned.code_sha256, pinned.timeout_seconds) == (second, 9)
    assert catalog.wait(catalog.catalog.read_code(first)) == a_zip()


def test_an_execution_of_a_version_is_never_given_other_code(catalog: Catalog) -> None:
    publish(catalog)
    code_sha256 = catalog.resolve("f", "1").code_sha256
    assert catalog.resolve_pinned("1", code_sha256).version == "1"
    for version in ("1", "$LATEST"):
        with pytest.raises(ResourceNotFound, match="that the execution began with is gone"):
            catalog.resolve_pinned(version, "other")
    update_code(catalog, "2")
    catalog.call("delete_function", DeleteFunctionRequest(function_name="f", qualifier="1"))
    with pytest.raises(ResourceNotFound):
        catalog.resolve_pinned("1", code_sha256)


def test_code_nobody_needs_is_forgotten_after_an_hour(catalog: Catalog) -> None:
    needed = catalog.resolve("f").code_sha256
    unneeded = update_code(catalog, "2")
    latest = update_code(catalog, "3")

    async def is_needed(function_arn: str, code_sha256: str) -> bool:
        return (function_arn, code_sha256) == (ARN, needed)

    assert catalog.wait(catalog.catalog.forget_snapshots(is_needed)) == 0
    catalog.clock.at_ms += HOUR_MS
    assert catalog.wait(catalog.catalog.forget_snapshots(is_needed)) == 1
    assert sorted(catalog.stored("code")) == sorted([needed, latest])
    assert catalog.resolve_pinned("$LATEST", needed).code_sha256 == needed
    with pytest.raises(ResourceNotFound):
        catalog.resolve_pinned("$LATEST", unneeded)


def test_code_that_came_back_is_not_forgotten(catalog: Catalog) -> None:
    first = catalog.resolve("f").code_sha256
    update_code(catalog, "2")
    catalog.call(
        "update_function_code", UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip())
    )
    catalog.clock.at_ms += HOUR_MS

    async def is_needed(function_arn: str, code_sha256: str) -> bool:
        return False

    assert catalog.wait(catalog.catalog.forget_snapshots(is_needed)) == 2
    assert catalog.stored("code") == [first]
    assert catalog.wait(catalog.catalog.read_code(first)) == a_zip()


def test_a_folder_is_a_function_of_development(catalog: Catalog) -> None:
    put = catalog.catalog.put_folder_function
    first = catalog.wait(put(a_request("g"), code_folder="/code"))
    again = catalog.wait(put(a_request("g", timeout=9), code_folder="/code"))
    assert first.code_sha256 == again.code_sha256
    assert first.revision_id != again.revision_id
    found = catalog.resolve("g")
    assert (found.code_folder, found.timeout_seconds) == ("/code", 9)
    shown = catalog.call("get_function", GetFunctionRequest(function_name="g"))
    assert (shown.code.repository_type, shown.code.location) == ("Local", None)
    catalog.call("delete_function", DeleteFunctionRequest(function_name="g"))

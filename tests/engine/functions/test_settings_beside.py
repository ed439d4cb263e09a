"""Aliases, concurrency, asynchronous settings and tags: what stands beside a function."""

from typing import Any

import pytest

from perdure.core.errors import InvalidParameterValue, ResourceConflict, ResourceNotFound
from perdure.engine.directory import AsyncSettings
from perdure.engine.functions.errors import PreconditionFailed
from perdure.protocol import aliases, concurrency, event_invokes, tags
from perdure.protocol.aliases import AliasConfiguration, AliasRoutingConfiguration
from perdure.protocol.configurations import DeadLetterConfig
from perdure.protocol.event_invokes import DestinationConfig, OnFailure, OnSuccess
from perdure.protocol.functions import GetFunctionRequest, UpdateFunctionCodeRequest

from .builders import ARN, Catalog, a_zip

QUEUE = "arn:aws:sqs:us-east-1:000000000000:queue"
TOPIC = "arn:aws:sns:us-east-1:000000000000:topic"


@pytest.fixture
def catalog() -> Catalog:
    """Return a catalog with versions 1 and 2 of f."""
    catalog = Catalog()
    catalog.create(publish=True, dead_letter_config=DeadLetterConfig(target_arn=QUEUE))
    request = UpdateFunctionCodeRequest(function_name="f", zip_file=a_zip("2"), publish=True)
    catalog.call("update_function_code", request)
    return catalog


def create_alias(catalog: Catalog, **changes: Any) -> AliasConfiguration:
    given: dict[str, Any] = {"function_name": "f", "name": "live", "function_version": "1"}
    return catalog.call("create_alias", aliases.CreateAliasRequest(**(given | changes)))


def weighted(**weights: float) -> AliasRoutingConfiguration:
    return AliasRoutingConfiguration(
        additional_version_weights={name.strip("v"): weight for name, weight in weights.items()}
    )


def test_an_alias_stands_for_a_version(catalog: Catalog) -> None:
    created = create_alias(catalog)
    assert created == AliasConfiguration(
        alias_arn=f"{ARN}:live",
        name="live",
        function_version="1",
        description="",
        revision_id=created.revision_id,
    )
    request = aliases.GetAliasRequest(function_name="f", name="live")
    assert catalog.call("get_alias", request) == created
    assert catalog.resolve("f", "live").version == "1"
    assert catalog.resolve(f"{ARN}:live").version == "1"
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f", qualifier="live"))
    assert shown.configuration.function_arn == f"{ARN}:live"
    assert shown.configuration.version == "1"


def test_an_alias_moves(catalog: Catalog) -> None:
    created = create_alias(catalog, description="d")
    moved = catalog.call(
        "update_alias",
        aliases.UpdateAliasRequest(
            function_name="f", name="live", function_version="2", revision_id=created.revision_id
        ),
    )
    assert (moved.function_version, moved.description) == ("2", "d")
    assert catalog.resolve("f", "live").version == "2"
    with pytest.raises(PreconditionFailed):
        catalog.call(
            "update_alias",
            aliases.UpdateAliasRequest(
                function_name="f", name="live", revision_id=created.revision_id
            ),
        )


@pytest.mark.parametrize(("drawn", "version"), [(0.0, "2"), (0.24, "2"), (0.25, "1"), (0.9, "1")])
def test_a_weighted_alias_is_drawn(catalog: Catalog, drawn: float, version: str) -> None:
    create_alias(catalog, routing_config=weighted(v2=0.25))
    assert catalog.resolve("f", "live", drawn=drawn).version == version


def test_weights_are_taken_away_by_an_empty_routing(catalog: Catalog) -> None:
    create_alias(catalog, routing_config=weighted(v2=1.0))
    kept = catalog.call(
        "update_alias", aliases.UpdateAliasRequest(function_name="f", name="live", description="x")
    )
    assert kept.routing_config == weighted(v2=1.0)
    changed = catalog.call(
        "update_alias",
        aliases.UpdateAliasRequest(function_name="f", name="live", routing_config=weighted()),
    )
    assert changed.routing_config is None
    assert catalog.resolve("f", "live", drawn=0.0).version == "1"


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"function_version": "3"}, ResourceNotFound),
        ({"function_version": "$LATEST.PUBLISHED"}, InvalidParameterValue),
        ({"function_name": "g"}, ResourceNotFound),
        ({"function_name": "f:1"}, InvalidParameterValue),
        ({"routing_config": weighted(v3=0.5)}, ResourceNotFound),
        ({"routing_config": weighted(v1=0.5)}, InvalidParameterValue),
        ({"routing_config": weighted(v1=0.5, v2=0.5)}, InvalidParameterValue),
        (
            {"function_version": "$LATEST", "routing_config": weighted(v1=0.5)},
            InvalidParameterValue,
        ),
    ],
)
def test_an_alias_for_what_is_not_there_is_refused(
    catalog: Catalog, changes: dict[str, Any], error: type[Exception]
) -> None:
    with pytest.raises(error):
        create_alias(catalog, **changes)
    assert catalog.stored("alias") == []


def test_an_alias_is_created_once_and_removed_at_will(catalog: Catalog) -> None:
    create_alias(catalog)
    with pytest.raises(ResourceConflict, match="Alias already exists"):
        create_alias(catalog)
    for _ in range(2):
        catalog.call("delete_alias", aliases.DeleteAliasRequest(function_name="f", name="live"))
    with pytest.raises(ResourceNotFound):
        catalog.resolve("f", "live")


def test_aliases_are_listed_by_name(catalog: Catalog) -> None:
    for name, version in (("b", "1"), ("a", "2"), ("c", "1"), ("d", "$LATEST")):
        create_alias(catalog, name=name, function_version=version)
    page = catalog.call("list_aliases", aliases.ListAliasesRequest(function_name="f", max_items=3))
    assert [alias.name for alias in page.aliases] == ["a", "b", "c"]
    page = catalog.call(
        "list_aliases", aliases.ListAliasesRequest(function_name="f", marker=page.next_marker)
    )
    assert ([alias.name for alias in page.aliases], page.next_marker) == (["d"], None)
    page = catalog.call(
        "list_aliases", aliases.ListAliasesRequest(function_name="f", function_version="1")
    )
    assert [alias.name for alias in page.aliases] == ["b", "c"]


def test_concurrency_is_kept_within_the_accounts(catalog: Catalog) -> None:
    def put(asked: int) -> Any:
        return catalog.call(
            "put_function_concurrency",
            concurrency.PutFunctionConcurrencyRequest(
                function_name="f", reserved_concurrent_executions=asked
            ),
        )

    assert catalog.resolve("f").concurrency_max is None
    for asked in (0, 900):
        assert put(asked).reserved_concurrent_executions == asked
        assert catalog.resolve("f", "1").concurrency_max == asked
    with pytest.raises(InvalidParameterValue, match=r"minimum value of \[100\]"):
        put(901)
    settings = catalog.call("get_account_settings", concurrency.GetAccountSettingsRequest())
    assert settings.account_limit.unreserved_concurrent_executions == 100
    assert settings.account_usage.function_count == 1
    assert settings.account_usage.total_code_size == len(a_zip()) + 2 * len(a_zip("2"))
    shown = catalog.call("get_function", GetFunctionRequest(function_name="f"))
    assert shown.concurrency.reserved_concurrent_executions == 900
    catalog.call(
        "delete_function_concurrency",
        concurrency.DeleteFunctionConcurrencyRequest(function_name="f"),
    )
    kept = catalog.call(
        "get_function_concurrency", concurrency.GetFunctionConcurrencyRequest(function_name="f")
    )
    assert kept.reserved_concurrent_executions is None


def async_settings(catalog: Catalog, qualifier: str = "$LATEST") -> AsyncSettings:
    return catalog.wait(catalog.catalog.directory.async_settings(ARN, qualifier))


def test_asynchronous_invocations_have_defaults_and_a_dead_letter_queue(catalog: Catalog) -> None:
    assert async_settings(catalog) == AsyncSettings(retries_max=2, on_failure=QUEUE)


def test_asynchronous_invocations_are_handled_as_was_said(catalog: Catalog) -> None:
    put = catalog.call(
        "put_function_event_invoke_config",
        event_invokes.PutFunctionEventInvokeConfigRequest(
            function_name="f",
            maximum_retry_attempts=0,
            destination_config=DestinationConfig(on_failure=OnFailure(destination=TOPIC)),
        ),
    )
    assert put.function_arn == f"{ARN}:$LATEST"
    assert async_settings(catalog) == AsyncSettings(retries_max=0, on_failure=TOPIC)
    assert async_settings(catalog, "1") == AsyncSettings(retries_max=2, on_failure=QUEUE)
    updated = catalog.call(
        "update_function_event_invoke_config",
        event_invokes.UpdateFunctionEventInvokeConfigRequest(
            function_name="f",
            maximum_event_age_in_seconds=60,
            destination_config=DestinationConfig(on_success=OnSuccess(destination=TOPIC)),
        ),
    )
    assert (updated.maximum_retry_attempts, updated.maximum_event_age_in_seconds) == (0, 60)
    assert async_settings(catalog) == AsyncSettings(
        retries_max=0, on_success=TOPIC, on_failure=QUEUE
    )
    put = catalog.call(
        "put_function_event_invoke_config",
        event_invokes.PutFunctionEventInvokeConfigRequest(
            function_name="f", maximum_event_age_in_seconds=90
        ),
    )
    assert put.maximum_retry_attempts is None
    request = event_invokes.GetFunctionEventInvokeConfigRequest(function_name="f")
    assert catalog.call("get_function_event_invoke_config", request) == put
    catalog.call(
        "delete_function_event_invoke_config",
        event_invokes.DeleteFunctionEventInvokeConfigRequest(function_name="f"),
    )
    with pytest.raises(ResourceNotFound, match="doesn't have an EventInvokeConfig"):
        catalog.call("get_function_event_invoke_config", request)


@pytest.mark.parametrize("call", ["delete", "update"])
def test_what_was_never_said_is_not_found(catalog: Catalog, call: str) -> None:
    requests = {
        "delete": event_invokes.DeleteFunctionEventInvokeConfigRequest(function_name="f"),
        "update": event_invokes.UpdateFunctionEventInvokeConfigRequest(
            function_name="f", maximum_retry_attempts=1
        ),
    }
    with pytest.raises(ResourceNotFound):
        catalog.call(f"{call}_function_event_invoke_config", requests[call])


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({}, InvalidParameterValue),
        ({"qualifier": "9", "maximum_retry_attempts": 1}, ResourceNotFound),
        (
            {"destination_config": DestinationConfig(on_success=OnSuccess(destination=ARN))},
            InvalidParameterValue,
        ),
    ],
)
def test_bad_settings_of_asynchronous_invocations_are_refused(
    catalog: Catalog, changes: dict[str, Any], error: type[Exception]
) -> None:
    request = event_invokes.PutFunctionEventInvokeConfigRequest(function_name="f", **changes)
    with pytest.raises(error):
        catalog.call("put_function_event_invoke_config", request)


def test_asynchronous_settings_are_listed_and_go_with_their_version(catalog: Catalog) -> None:
    create_alias(catalog)
    for qualifier in ("1", "live", "$LATEST"):
        catalog.call(
            "put_function_event_invoke_config",
            event_invokes.PutFunctionEventInvokeConfigRequest(
                function_name="f", qualifier=qualifier, maximum_retry_attempts=1
            ),
        )
    listed: list[str] = []
    marker: str | None = None
    while True:
        page = catalog.call(
            "list_function_event_invoke_configs",
            event_invokes.ListFunctionEventInvokeConfigsRequest(
                function_name="f", max_items=2, marker=marker
            ),
        )
        listed += [c.function_arn for c in page.function_event_invoke_configs]
        marker = page.next_marker
        if marker is None:
            break
    assert listed == [f"{ARN}:{qualifier}" for qualifier in ("$LATEST", "1", "live")]
    catalog.call("delete_alias", aliases.DeleteAliasRequest(function_name="f", name="live"))
    assert catalog.stored("event-invoke") == ["f:$LATEST", "f:1"]


def test_tags_are_added_replaced_and_removed(catalog: Catalog) -> None:
    catalog.call("tag_resource", tags.TagResourceRequest(resource=ARN, tags={"a": "1", "b": "2"}))
    catalog.call("tag_resource", tags.TagResourceRequest(resource=ARN, tags={"a": "3"}))
    catalog.call("untag_resource", tags.UntagResourceRequest(resource=ARN, tag_keys=("b", "x")))
    listed = catalog.call("list_tags", tags.ListTagsRequest(resource=ARN))
    assert listed.tags == {"a": "3"}


@pytest.mark.parametrize(
    ("resource", "error"),
    [
        (f"{ARN}:1", InvalidParameterValue),
        (f"{ARN}2", ResourceNotFound),
        ("arn:aws:lambda:us-east-1:000000000000:capacity-provider:p", ResourceNotFound),
    ],
)
def test_only_functions_have_tags(catalog: Catalog, resource: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        catalog.call("list_tags", tags.ListTagsRequest(resource=resource))

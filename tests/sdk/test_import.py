"""``import perdure`` is a part of every cold start: it loads little, and only what is ours."""

import json
import os
import subprocess
import sys

import pytest

_LIST_MODULES = (
    "import sys; before = set(sys.modules); import {module}; import json;"
    " print(json.dumps(sorted(set(sys.modules) - before)))"
)


def loaded_by(module: str) -> set[str]:
    """Return the modules that ``module`` brings into a new interpreter."""
    environment = {name: value for name, value in os.environ.items() if "COV" not in name}
    done = subprocess.run(
        [sys.executable, "-c", _LIST_MODULES.format(module=module)],
        check=True,
        capture_output=True,
        env=environment,
        text=True,
        timeout=30,
    )
    return set(json.loads(done.stdout))


@pytest.fixture(scope="module")
def modules() -> set[str]:
    """Return what ``import perdure`` loads."""
    return loaded_by("perdure")


@pytest.mark.parametrize(
    "costly",
    [
        "asyncio",
        "boto3",
        "botocore",
        "concurrent.futures",
        "email",
        "http.client",
        "msgspec",
        "ssl",
    ],
)
def test_nothing_costly_is_loaded_before_it_is_needed(costly: str, modules: set[str]) -> None:
    assert costly not in modules


def test_only_the_standard_library_and_perdure_itself_are_loaded(modules: set[str]) -> None:
    roots = {name.partition(".")[0] for name in modules}

    assert roots - sys.stdlib_module_names == {"perdure"}


def test_of_perdure_only_the_sdk_and_the_protocol_are_loaded(modules: set[str]) -> None:
    parts = {name.split(".")[1] for name in modules if name.startswith("perdure.")}

    assert parts == {"protocol", "sdk"}


def test_the_client_by_http_needs_none_of_it_either() -> None:
    modules = loaded_by("perdure.sdk.http")

    assert modules.isdisjoint({"asyncio", "email", "http.client", "msgspec", "ssl"})

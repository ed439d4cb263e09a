"""Where the conformance requirements find their server, and whether they can run at all."""

import os
from importlib.util import find_spec

import pytest

#: The suite asks for a newer Python than it needs, so it is installed on its own
#: (``pip install --ignore-requires-python``) and may be missing, except where CI promises it.
SUITE = "aws_durable_execution_conformance_tests"
collect_ignore = [] if find_spec(SUITE) or os.environ.get("CI") else ["test_conformance.py"]


@pytest.fixture(scope="session")
def endpoint(request: pytest.FixtureRequest) -> str:
    """Return the URL of the server: ``PERDURE_ENDPOINT``, or the one all tests share."""
    given = os.environ.get("PERDURE_ENDPOINT")
    return given or request.getfixturevalue("perdure_endpoint")

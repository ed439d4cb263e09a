"""A server for a module's tests, and boto3's clients for it."""

import os
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.config import Config

from .fakes import Behind, served

os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture(scope="module")
def behind() -> Behind:
    return Behind()


@pytest.fixture(scope="module")
def url(behind: Behind) -> Iterator[str]:
    with served(behind) as address:
        yield address


def a_client(service: str, url: str) -> Any:
    """Return boto3's client for a server."""
    return boto3.client(
        service,
        endpoint_url=url,
        region_name="us-east-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        # Whether parameters are right is for the server to say.
        config=Config(
            retries={"total_max_attempts": 1}, read_timeout=10, parameter_validation=False
        ),
    )


@pytest.fixture(scope="module")
def functions(url: str) -> Any:
    return a_client("lambda", url)


@pytest.fixture(scope="module")
def logs(url: str) -> Any:
    return a_client("logs", url)

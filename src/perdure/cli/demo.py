"""The demonstration: a service on an empty folder runs the examples, and their results are checked.

Hello world and user registration, each in JavaScript and in Python. The registration asks a service
outside, which ``StandIn`` plays: once it answers at once, once only at the tenth look.
"""

import json
import re
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final, cast

import click
from rich.rule import Rule

from perdure.cli.archive import zip_code
from perdure.cli.client import Client
from perdure.cli.deploy import deploy_source
from perdure.cli.discovery import discover
from perdure.cli.endpoint import DEFAULT_REGION, Endpoint
from perdure.cli.errors import CommandError, reading
from perdure.cli.output import Output
from perdure.cli.progress import HistoryFollower, draw, seconds_text
from perdure.cli.sources import FunctionSource
from perdure.cli.stand_in import StandIn
from perdure.cli.timeline import fold

__all__ = ["OUTSIDE_URL", "is_hello", "is_registration", "main", "serving", "source_for"]

#: Where the article's registration sends its requests.
OUTSIDE_URL: Final = "https://kameda.requestcatcher.com"
_PENDING: Final = 9
_READY_SECONDS: Final = 60
_SHUTDOWN_SECONDS: Final = 30
_REPORT_SECONDS: Final = 10

"""The environment of a worker: Lambda's, and nothing of the server's beyond PATH and LANG. Ours is
PERDURE_KEEP_HANDLERS: how many suspended handlers the worker may keep. A function may set its own.

Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
"""

import os
from collections.abc import Mapping
from typing import Final

from perdure.engine.invoker import FunctionVersion
from perdure.protocol.limits import RESERVED_VARIABLES
from perdure.runtime.log_lines import log_group_of
from perdure.runtime.settings import RuntimeSettings

__all__ = ["build_environment", "worker_marker"]

_PATH_DEFAULT: Final = "/usr/local/bin:/usr/bin:/bin"
_KEEP_HANDLERS: Final = "PERDURE_KEEP_HANDLERS"


def worker_marker(port: int) -> str:
    """Return the ``NAME=value`` that tells a worker's processes from any other worker's."""
    return f"AWS_LAMBDA_RUNTIME_API=127.0.0.1:{port}"


def build_environment(
    function: FunctionVersion,
    settings: RuntimeSettings,
    *,
    task_root: str,
    runtime_folder: str,
    log_stream: str,
    port: int,
) -> dict[str, str]:
    """Return the whole environment of a worker except TMPDIR and what its runtime adds."""
    environment = {
        "PATH": os.environ.get("PATH", _PATH_DEFAULT),
        "LANG": os.environ.get("LANG", "en_US.UTF-8"),
        "TZ": ":UTC",
        "AWS_ENDPOINT_URL_LAMBDA": settings.endpoint_url,
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": settings.endpoint_url,
        "AWS_EC2_METADATA_DISABLED": "true",
    }
    if settings.kept_handlers_max:
        environment[_KEEP_HANDLERS] = str(settings.kept_handlers_max)
    environment.update(
        {
            name: text
            for name, text in function.environment.items()
            if name not in RESERVED_VARIABLES
        }
    )
    environment.update(_reserved(function, settings))
    marker_name, _equals, marker_text = worker_marker(port).partition("=")
    environment.update(
        {
            "LAMBDA_TASK_ROOT": task_root,
            "LAMBDA_RUNTIME_DIR": runtime_folder,
            "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
            marker_name: marker_text,
        }
    )
    return environment


def _reserved(function: FunctionVersion, settings: RuntimeSettings) -> Mapping[str, str]:
    reserved = {
        "_HANDLER": function.handler,
        "AWS_LAMBDA_FUNCTION_NAME": function.function_name,
        "AWS_LAMBDA_FUNCTION_VERSION": function.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_FORMAT": function.log_format.value,
        "AWS_LAMBDA_LOG_GROUP_NAME": log_group_of(function),
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_REGION": settings.region,
        "AWS_DEFAULT_REGION": settings.region,
        "AWS_ACCESS_KEY_ID": settings.credentials.access_key_id,
        "AWS_SECRET_ACCESS_KEY": settings.credentials.secret_access_key,
        "AWS_SESSION_TOKEN": settings.credentials.session_token,
    }
    if function.runs_per_worker_max > 1:
        reserved["AWS_LAMBDA_MAX_CONCURRENCY"] = str(function.runs_per_worker_max)
    if function.application_log_level:
        reserved["AWS_LAMBDA_LOG_LEVEL"] = function.application_log_level
    return reserved

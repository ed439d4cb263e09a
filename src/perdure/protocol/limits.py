"""The numbers of the service: bounds and defaults, each with its source.

Bounds of single members stand beside their types, as botocore has them. Here are those that AWS
documents elsewhere, those that hold for more than one member, and our own.
"""

from typing import Final

__all__ = [
    "ALIAS_VERSIONS_MAX",
    "ASYNC_PAYLOAD_BYTES_MAX",
    "CALLBACK_BODY_BYTES_MAX",
    "CALLBACK_RESULT_BYTES_MAX",
    "CHECKPOINT_BODY_BYTES_MAX",
    "CODE_BODY_BYTES_MAX",
    "CODE_STORAGE_BYTES_MAX",
    "CODE_UNZIPPED_BYTES_MAX",
    "CODE_ZIPPED_BYTES_MAX",
    "CONCURRENCY_MAX",
    "CONCURRENCY_UNRESERVED_MIN",
    "ENVIRONMENT_BYTES_MAX",
    "EPHEMERAL_STORAGE_MB_DEFAULT",
    "EPHEMERAL_STORAGE_MB_MAX",
    "EVENT_AGE_SECONDS_DEFAULT",
    "EVENT_RETRIES_DEFAULT",
    "FUNCTION_NAME_CHARACTERS_MAX",
    "HEADERS_MAX",
    "HEADER_BYTES_MAX",
    "JSON_BODY_BYTES_MAX",
    "LAYERS_MAX",
    "LIST_PAGE_DEFAULT",
    "MEMORY_MB_DEFAULT",
    "MEMORY_MB_MAX",
    "PAYLOAD_BYTES_MAX",
    "RESERVED_VARIABLES",
    "RETENTION_DAYS_DEFAULT",
    "TAGS_MAX",
    "TARGET_BYTES_MAX",
    "TIMEOUT_SECONDS_DEFAULT",
    "TIMEOUT_SECONDS_MAX",
]

_MB: Final = 1024 * 1024

PAYLOAD_BYTES_MAX: Final = 6_291_456  #: Source: Lambda model, OperationPayload; quotas, 6 MB
ASYNC_PAYLOAD_BYTES_MAX: Final = 1_048_576  #: Source: Lambda quotas, asynchronous payload, 1 MB
CALLBACK_RESULT_BYTES_MAX: Final = 1_048_576  #: Source: Lambda model, BinaryOperationPayload

TIMEOUT_SECONDS_DEFAULT: Final = 3  #: Source: Lambda model, CreateFunction
TIMEOUT_SECONDS_MAX: Final = 900  #: Source: Lambda quotas (5,400: managed instances only)
MEMORY_MB_DEFAULT: Final = 128  #: Source: Lambda model, CreateFunction
MEMORY_MB_MAX: Final = 10_240  #: Source: Lambda quotas (32,768: managed instances only)
EPHEMERAL_STORAGE_MB_DEFAULT: Final = 512  #: Source: Lambda model, EphemeralStorage
EPHEMERAL_STORAGE_MB_MAX: Final = 10_240  #: Source: Lambda quotas
ENVIRONMENT_BYTES_MAX: Final = 4_096  #: Source: Lambda quotas, all variables together
LAYERS_MAX: Final = 5  #: Source: Lambda quotas
TAGS_MAX: Final = 50  #: Source: developer guide, tags on a function
FUNCTION_NAME_CHARACTERS_MAX: Final = 64  #: Source: Lambda model, CreateFunction, FunctionName
RETENTION_DAYS_DEFAULT: Final = 14  #: Source: SAM's DurableConfig, RetentionPeriodInDays

CODE_ZIPPED_BYTES_MAX: Final = 50 * _MB  #: Source: Lambda quotas, direct upload
CODE_UNZIPPED_BYTES_MAX: Final = 250 * _MB  #: Source: Lambda quotas
CODE_STORAGE_BYTES_MAX: Final = 75 * 1024 * _MB  #: Source: Lambda quotas, per region

CONCURRENCY_MAX: Final = 1_000  #: Source: Lambda quotas, concurrent executions
CONCURRENCY_UNRESERVED_MIN: Final = 100  #: Source: developer guide, reserved concurrency
EVENT_RETRIES_DEFAULT: Final = 2  #: Source: developer guide, asynchronous invocation
EVENT_AGE_SECONDS_DEFAULT: Final = 21_600  #: Source: developer guide, 6 hours
ALIAS_VERSIONS_MAX: Final = 2  #: Source: developer guide, weighted aliases
LIST_PAGE_DEFAULT: Final = 50  #: Source: Lambda model, ListFunctions: at most 50 a page

HEADER_BYTES_MAX: Final = 32_768  #: ours (SR-16): names and values of all headers together
HEADERS_MAX: Final = 100  #: ours (SR-16)
TARGET_BYTES_MAX: Final = 16_384  #: ours: path and query; an ARN of 10,000 characters still fits
JSON_BODY_BYTES_MAX: Final = _MB  #: ours (SR-16), for calls without a payload or code
CALLBACK_BODY_BYTES_MAX: Final = (
    CALLBACK_RESULT_BYTES_MAX + 65_536
)  #: ours: the shape says no first
CHECKPOINT_BODY_BYTES_MAX: Final = 16 * _MB  #: ours: a payload of 6 MB, escaped twice over, fits
CODE_BODY_BYTES_MAX: Final = 70_167_211  #: Source: Lambda's own message: 50 MB in base64

#: Source: developer guide, "Defined runtime environment variables", reserved.
RESERVED_VARIABLES: Final = frozenset(
    {
        "AWS_ACCESS_KEY",
        "AWS_ACCESS_KEY_ID",
        "AWS_DEFAULT_REGION",
        "AWS_EXECUTION_ENV",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE",
        "AWS_LAMBDA_FUNCTION_NAME",
        "AWS_LAMBDA_FUNCTION_VERSION",
        "AWS_LAMBDA_INITIALIZATION_TYPE",
        "AWS_LAMBDA_LOG_GROUP_NAME",
        "AWS_LAMBDA_LOG_STREAM_NAME",
        "AWS_LAMBDA_MAX_CONCURRENCY",
        "AWS_LAMBDA_METADATA_API",
        "AWS_LAMBDA_METADATA_TOKEN",
        "AWS_LAMBDA_RUNTIME_API",
        "AWS_REGION",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "LAMBDA_RUNTIME_DIR",
        "LAMBDA_TASK_ROOT",
        "_HANDLER",
        "_X_AMZN_TRACE_ID",
    }
)

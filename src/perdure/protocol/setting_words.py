"""The words that a function's settings take.

Source: botocore, ``lambda/2015-03-31``.
"""

from enum import StrEnum

__all__ = [
    "ApplicationLogLevel",
    "Architecture",
    "DirectS3Read",
    "LogFormat",
    "PackageType",
    "SnapStartApplyOn",
    "SnapStartOptimizationStatus",
    "SystemLogLevel",
    "TenantIsolationMode",
    "TracingMode",
]


class PackageType(StrEnum):
    """How code is packed."""

    ZIP = "Zip"
    IMAGE = "Image"


class Architecture(StrEnum):
    """Which processor code runs on."""

    X86_64 = "x86_64"
    ARM64 = "arm64"


class TracingMode(StrEnum):
    """Whether invocations are traced."""

    ACTIVE = "Active"
    PASS_THROUGH = "PassThrough"


class SnapStartApplyOn(StrEnum):
    """Which versions start from a snapshot."""

    PUBLISHED_VERSIONS = "PublishedVersions"
    NONE = "None"


class SnapStartOptimizationStatus(StrEnum):
    """Whether a version starts from a snapshot."""

    ON = "On"
    OFF = "Off"


class LogFormat(StrEnum):
    """How log lines are written."""

    JSON = "JSON"
    TEXT = "Text"


class ApplicationLogLevel(StrEnum):
    """The least level of the handler's own lines."""

    TRACE = "TRACE"
    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"
    ERROR = "ERROR"
    FATAL = "FATAL"


class SystemLogLevel(StrEnum):
    """The least level of the service's lines."""

    DEBUG = "DEBUG"
    INFO = "INFO"
    WARN = "WARN"


class TenantIsolationMode(StrEnum):
    """Whether tenants share workers."""

    PER_TENANT = "PER_TENANT"


class DirectS3Read(StrEnum):
    """How files are read."""

    ENABLED = "ENABLED"
    DISABLED = "DISABLED"
    AUTO = "AUTO"

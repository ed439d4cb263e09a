"""Tests of durable functions: runs them in the test's own process, with time skipped.

Names follow AWS's testing package, so that a test moves by its import lines. What is imported is
loaded when it is used: pytest's plugin is here too, and is loaded by every run of pytest.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from perdure import __version__
    from perdure.testing import effects
    from perdure.testing.cloud import DurableFunctionCloudTestRunner
    from perdure.testing.crash_report import CrashReport
    from perdure.testing.crashes import crash_everywhere
    from perdure.testing.exceptions import DurableFunctionsTestError
    from perdure.testing.results import DurableFunctionTestResult
    from perdure.testing.runner import DurableChildContextTestRunner, DurableFunctionTestRunner

__all__ = [
    "CrashReport",
    "DurableChildContextTestRunner",
    "DurableFunctionCloudTestRunner",
    "DurableFunctionTestResult",
    "DurableFunctionTestRunner",
    "DurableFunctionsTestError",
    "__version__",
    "crash_everywhere",
    "effects",
]

_HOMES: Final = {
    "CrashReport": "crash_report",
    "DurableChildContextTestRunner": "runner",
    "DurableFunctionCloudTestRunner": "cloud",
    "DurableFunctionTestResult": "results",
    "DurableFunctionTestRunner": "runner",
    "DurableFunctionsTestError": "exceptions",
    "crash_everywhere": "crashes",
}


def __getattr__(name: str) -> Any:
    if name == "__version__":
        return importlib.import_module("perdure").__version__
    if name == "effects":
        return importlib.import_module("perdure.testing.effects")
    if name not in _HOMES:
        raise AttributeError(f"module 'perdure.testing' has no attribute {name!r}")
    return getattr(importlib.import_module(f"perdure.testing.{_HOMES[name]}"), name)

"""The HTTP surface: AWS Lambda's API and the few calls of CloudWatch Logs, on one address.

A request passes ``guards``, is led by ``routing`` to an endpoint, read by ``binding``, carried out
by a handler that knows no HTTP, and answered. ``app`` puts it together.
"""

from perdure.api.app import create_app
from perdure.api.code import code_url
from perdure.api.connections import uvicorn_settings
from perdure.api.guards import OwnPages
from perdure.api.log_calls import LogCalls
from perdure.api.settings import ApiSettings

__all__ = ["ApiSettings", "LogCalls", "OwnPages", "code_url", "create_app", "uvicorn_settings"]

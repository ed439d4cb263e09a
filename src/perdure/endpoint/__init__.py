"""Serves a function over HTTP, so that a service runs it wherever this process is.

    python -m perdure.endpoint app.handler --port 8080

It answers AWS's invoke path as the runtime interface emulator does, many invocations at once, each
with a context of its own; verifies that the service has signed them; and lets what runs end when it
is told to stop. ``EndpointApp`` is the same as an ASGI application, for any server. ``verify`` is
for those who write a receiver of their own.
"""

from perdure.endpoint.app import EndpointApp
from perdure.protocol.endpoint_signatures import SignatureError, verify

__all__ = ["EndpointApp", "SignatureError", "verify"]

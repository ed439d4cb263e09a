"""What can be set for the API, with its defaults."""

from dataclasses import dataclass

from perdure.api.guards import OwnPages

__all__ = ["ApiSettings"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiSettings:
    """How the API is served."""

    allowed_hosts: tuple[str, ...] = ()  #: beside those of loopback; with or without a port (SR-17)
    own_pages: OwnPages | None = None  #: None: browsers need no token, and there are no forms
    requests_max: int = 4_096  #: answered at once; more are told to try again (Q3)
    body_bytes_max: int = 512 * 1024 * 1024  #: of all requests together (Q3)
    checkpoint_seconds_max: float = 18.0  #: SDKs give up at 50 s; a 503 must come well before

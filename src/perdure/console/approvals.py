"""Approval links over HTTP: made by who steers the server, followed by anybody who has one.

To look changes nothing. To decide is a form's POST, with the link as its secret, from the link's
own page: the browser says where it comes from, and no other origin is taken.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import parse_qsl

import msgspec

from perdure.console.approval_pages import COMMENT_MAX, POLICY, Asked, ask_page, told_page
from perdure.console.exchanges import Reply, Request, Route, json_reply
from perdure.console.links import LINK_QUESTION_MAX, Link, LinkProblem, Links
from perdure.console.views import function_name
from perdure.core import phrases
from perdure.core.commands import AnswerCallback
from perdure.core.errors import InvalidParameterValue, Refusal, ResourceConflict, ResourceNotFound
from perdure.core.execution import Execution
from perdure.core.explanation import known_as
from perdure.core.operation import Operation
from perdure.engine.engine import Engine
from perdure.engine.seals import Seals
from perdure.protocol.operations import ErrorObject
from perdure.protocol.words import OperationType

__all__ = ["APPROVE_PATH", "ApprovalService"]

APPROVE_PATH: Final = "/console/approve/"
REJECTED: Final = "CallbackRejected"
_STYLE: Final = Path(__file__).with_name("approve.css")
_EXPIRES_SECONDS: Final = (60, 2_592_000)
_FORM_BYTES_MAX: Final = 16_384
_FORM_MEMBERS_MAX: Final = 10
_HTML: Final = b"text/html; charset=utf-8"
_CSS: Final = b"text/css; charset=utf-8"
_HEADERS: Final[Mapping[bytes, bytes]] = {
    b"content-security-policy": POLICY,
    b"referrer-policy": b"same-origin",
}
_ORIGIN: Final = re.compile(r"https?://(?P<host>[^/]+)\Z")
_PROBLEMS: Final = {
    LinkProblem.FORGED: (403, "This link is not valid", "Ask whoever sent it for a new one."),
    LinkProblem.EXPIRED: (410, "This link has expired", "Ask whoever sent it for a new one."),
}


class _Asked(msgspec.Struct, forbid_unknown_fields=True):
    callback_id: str
    expires_seconds: int = 86_400
    question: str = ""


class ApprovalService:
    """Answers the routes of approval links."""

    def __init__(self, links: Links, engine: Engine, seals: Seals) -> None:
        """Decide callbacks through ``engine``."""
        self._links = links
        self._engine = engine
        self._seals = seals

    def routes(self) -> Sequence[tuple[str, str, Route]]:
        """Return the routes."""
        return (
            ("POST", "/console/api/callback-links", self._make),
            ("GET", "/console/approve.css", self._style),
            ("GET", f"{APPROVE_PATH}{{link}}", self._show),
            ("POST", f"{APPROVE_PATH}{{link}}", self._decide),
        )

    async def _make(self, request: Request) -> Reply:
        asked = await request.document(_Asked)
        least, most = _EXPIRES_SECONDS
        if not least <= asked.expires_seconds <= most:
            raise InvalidParameterValue(
                f"expires_seconds is {asked.expires_seconds}; it must be from {least} to {most:,}"
            )
        if len(asked.question) > LINK_QUESTION_MAX:
            raise InvalidParameterValue(
                f"question has {len(asked.question)} characters; the limit is {LINK_QUESTION_MAX}"
            )
        execution_id, operation_id = self._seals.open_callback(asked.callback_id)
        _, callback = await self._read(execution_id, operation_id)
        if callback.is_finished:
            raise ResourceConflict(f"the callback is {callback.status}: there is nothing to decide")
        expires_at_ms = self._engine.clock.now_ms() + asked.expires_seconds * 1_000
        text = await self._links.make(
            execution_id, operation_id, question=asked.question, expires_at_ms=expires_at_ms
        )
        url = f"{_base_url(request)}{APPROVE_PATH}{text}"
        return json_reply({"url": url, "expires_at_ms": expires_at_ms})

    async def _style(self, request: Request) -> Reply:
        return Reply(200, await asyncio.to_thread(_STYLE.read_bytes), _CSS)

    async def _show(self, request: Request) -> Reply:
        link = await self._opened(request)
        if isinstance(link, Reply):
            return link
        try:
            execution, callback = await self._read(link.execution_id, link.operation_id)
        except Refusal:
            return _told(410, "There is nothing to decide any more", "The execution is gone.")
        if callback.is_finished:
            return _no_more(callback)
        known = known_as(execution.operations, callback)
        asked = Asked(
            question=link.question,
            callback=phrases.name_of(known),
            function=function_name(execution.identity.function_arn),
            execution=execution.identity.name,
            since_ms=callback.started_at_ms,
            expires_at_ms=link.expires_at_ms,
        )
        return Reply(200, ask_page(asked), _HTML, _HEADERS)

    async def _decide(self, request: Request) -> Reply:
        if not _is_own_origin(request):
            return _told(403, "This page cannot decide", "Open the link itself, and decide there.")
        link = await self._opened(request)
        if isinstance(link, Reply):
            return link
        form = await _form(request)
        decision, comment = form.get("decision", ""), form.get("comment", "")
        if decision not in ("approve", "reject") or len(comment) > COMMENT_MAX:
            return _told(400, "Nothing was decided", "Go back, and choose Approve or Reject.")
        try:
            _, callback = await self._read(link.execution_id, link.operation_id)
            if callback.is_finished:
                return _no_more(callback)
            command = _command(link.operation_id, decision, comment)
            outcome = await self._engine.carry_out(link.execution_id, command)
        except Refusal:
            return _told(410, "This was decided before", "Your decision was not taken.")
        is_first = outcome.is_change
        is_unused = await self._links.use(link, decision, self._engine.clock.now_ms())
        if not is_first or not is_unused:
            return _told(410, "This was decided before", "Your decision was not taken.")
        said = "Approved" if decision == "approve" else "Rejected"
        return _told(200, said, "Thank you. You can close this page.")

    async def _opened(self, request: Request) -> Link | Reply:
        link = await self._links.open(request.labels["link"], self._engine.clock.now_ms())
        if isinstance(link, LinkProblem):
            return _told(*_PROBLEMS[link])
        if link.decision:
            said = "approved" if link.decision == "approve" else "rejected"
            at = phrases.instant(link.decided_at_ms)
            return _told(410, "This link was used before", f"It {said} the callback at {at}.")
        return link

    async def _read(self, execution_id: str, operation_id: str) -> tuple[Execution, Operation]:
        async with self._engine.reading(execution_id) as execution:
            callback = execution.operations.get(operation_id)
            if callback is None or callback.type is not OperationType.CALLBACK:
                raise ResourceNotFound("there is no such callback")
            snapshot = Execution(execution.identity, execution.progress, dict(execution.operations))
        return snapshot, callback


def _command(operation_id: str, decision: str, comment: str) -> AnswerCallback:
    if decision == "approve":
        payload = msgspec.json.encode({"approved": True, "comment": comment}).decode()
        return AnswerCallback(operation_id=operation_id, payload=payload)
    error = ErrorObject(error_type=REJECTED, error_message=comment or "rejected by link")
    return AnswerCallback(operation_id=operation_id, error=error)


def _told(status: int, title: str, text: str) -> Reply:
    return Reply(status, told_page(title, text), _HTML, _HEADERS)


def _no_more(callback: Operation) -> Reply:
    said = f"The callback is {callback.status} already."
    return _told(410, "There is nothing to decide any more", said)


async def _form(request: Request) -> dict[str, Any]:
    body = await request.exchange.body(_FORM_BYTES_MAX)
    try:
        members = parse_qsl(
            body.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_FORM_MEMBERS_MAX,
        )
    except ValueError:
        return {}
    return dict(members)


def _is_own_origin(request: Request) -> bool:
    """Tell whether a browser says that the form was on a page of this origin."""
    headers = request.exchange.headers
    match = _ORIGIN.match(headers.get(b"origin", b"").decode("latin-1"))
    host = headers.get(b"host", b"").decode("latin-1")
    return match is not None and match["host"].lower() == host.lower()


def _base_url(request: Request) -> str:
    """Return the address under which the page was asked for: a link must lead whoever gets it to
    the same.
    """
    headers = request.exchange.headers
    origin = headers.get(b"origin", b"").decode("latin-1")
    return origin if _ORIGIN.match(origin) else f"http://{headers[b'host'].decode('latin-1')}"

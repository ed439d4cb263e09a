"""Puts the console together from the parts of a server."""

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from perdure.api.guards import OwnPages
from perdure.console.app import Console
from perdure.console.approvals import APPROVE_PATH, ApprovalService
from perdure.console.counts import CountService
from perdure.console.event_samples import EventSamples
from perdure.console.executions import ExecutionService
from perdure.console.explaining import Explainer
from perdure.console.functions import FunctionService
from perdure.console.inbox import InboxService
from perdure.console.links import Links
from perdure.console.operations import NodeFacts, OperationsService
from perdure.console.page import PageService
from perdure.console.series import Series
from perdure.console.session import SessionService
from perdure.console.streams import StreamService
from perdure.console.templates import TemplateService
from perdure.console.tokens import PageTokens
from perdure.console.walking import Walker
from perdure.engine.functions.registry import Registry
from perdure.runtime.pool import WorkerPool

__all__ = ["ConsoleParts", "create_console", "own_pages"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleParts:
    """What the console stands on."""

    explainer: Explainer
    registry: Registry
    tokens: PageTokens
    links: Links
    facts: Mapping[str, Any]  #: of the session, as long as the server runs
    runtimes: Callable[[], Coroutine[Any, Any, Sequence[str]]]
    pool: WorkerPool
    series: Series
    node_facts: NodeFacts


def create_console(parts: ConsoleParts) -> Console:
    """Return the console."""
    explainer = parts.explainer
    engine, seals = explainer.engine, explainer.seals
    walker = Walker(engine.store, seals)
    executions = ExecutionService(explainer, walker, parts.registry)
    counts = CountService(engine.store)
    session = SessionService(parts.tokens, engine.clock, parts.facts, parts.runtimes)
    return Console(
        (
            PageService(on_load=session.look),
            session,
            FunctionService(parts.registry, engine.store),
            executions,
            counts,
            InboxService(walker, parts.registry, engine.store, seals),
            EventSamples(parts.registry, engine.store),
            TemplateService(),
            ApprovalService(parts.links, engine, seals),
            OperationsService(
                engine, explainer.dispatcher, parts.pool, parts.series, parts.node_facts
            ),
            StreamService(explainer, executions, counts),
        ),
        node=parts.node_facts.id,
    )


def own_pages(tokens: PageTokens, *, has_console: bool) -> OwnPages:
    """Return what browsers may change: nothing where there is no console to give them a token."""
    return OwnPages(
        is_token=tokens.is_token if has_console else lambda _: False,
        form_prefix=APPROVE_PATH.encode() if has_console else None,
    )

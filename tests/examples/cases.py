"""Each example, what comes from outside when it goes as it should, and what it then returns."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from perdure.sdk.parking import Parking
from tests.sdk.aws_function import AwsFunction
from tests.sdk.service import Ended

from .stage import AWS, SILENT, CrashAt, event_of, load, play, refusal

__all__ = ["CASES", "PORTABLE", "Case"]


@dataclass(frozen=True, kw_only=True)
class Case:
    """An example that is run."""

    name: str
    result: Any
    callbacks: Mapping[str, Any] = field(default_factory=dict[str, Any])
    files: Mapping[str, str] = field(default_factory=dict[str, str])  #: by the names invoked
    file: str | None = None  #: where its handler is, if not in the file of its name
    is_portable: bool = True  #: runs on AWS's SDK, too

    def play(
        self, *, package: str = "perdure", keep: Parking | None = None, crash: CrashAt | None = None
    ) -> Ended:
        """Run it, as written for ``package``."""
        handlers = {
            name: load(self.name, file, package=package).handler
            for name, file in (self.files | {"": self.file}).items()
        }
        if package == AWS:
            handlers = {name: AwsFunction(handler) for name, handler in handlers.items()}
        return play(
            handlers.pop(""),
            event_of(self.name),
            callbacks=self.callbacks,
            functions=handlers,
            keep=keep,
            crash=crash,
        )


CASES: Final = (
    Case(
        name="agent_approval",
        callbacks={"approval": {"approved": True}},
        result="Refunded 250.",
    ),
    Case(
        name="agent_loop",
        result={"answer": "Take the tram: it rains in Bergen.", "turns": 3},
    ),
    Case(
        name="async_dashboard",
        result={"greeting": "Ada: 2 open orders, 70 points"},
        is_portable=False,
    ),
    Case(
        name="async_supplies",
        callbacks={
            "offer of north": {"price": 30},
            "offer of south": {"price": 20},
            "offer of east": SILENT,
        },
        result={"best": "south", "offers": {"north": 30, "south": 20}},
        is_portable=False,
    ),
    Case(
        name="chained_invoke",
        file="checkout",
        files={"pricing:$LATEST": "pricing"},
        result={"ordered": True, "total": 55},
    ),
    Case(
        name="circuit_breaker",
        result={"sent": ["a", "b", "c"], "unsent": [], "calls": 7, "minutes_open": [5, 10]},
    ),
    Case(
        name="council_vote",
        callbacks={
            "vote of Ada": "yes",
            "vote of Grace": SILENT,
            "vote of Hedy": "yes",
            "vote of Mary": "yes",
            "vote of Rosa": SILENT,
        },
        result={"adopted": True, "for": ["Ada", "Hedy", "Mary"]},
    ),
    Case(
        name="crawler",
        result={"pages": 5, "broken": ["/gone"], "rounds": 4},
    ),
    Case(
        name="data_export",
        result={"exported": 16, "link": "https://files.example.com/ada.zip"},
    ),
    Case(
        name="data_pipeline",
        result={"read": 1000, "loaded": 857, "dropped": 143},
    ),
    Case(
        name="deployment",
        callbacks={"approval": "go"},
        result={"released": True, "version": "2.0"},
    ),
    Case(
        name="document_intake",
        callbacks={
            "read letter.pdf": {"sender": "Ada"},
            "read coffee-stain.pdf": refusal("it cannot be read"),
            "read bill.pdf": {"sender": "the tax office"},
        },
        result={
            "letter.pdf": "Ada",
            "coffee-stain.pdf": "by hand: it cannot be read",
            "bill.pdf": "the tax office",
        },
    ),
    Case(
        name="expense_approval",
        callbacks={"ask the lead": SILENT, "ask the director": {"approved": True, "note": "go"}},
        result={"approved": True, "by": "director", "note": "go"},
    ),
    Case(
        name="export_polling",
        result={"report": "sales-2026-05", "status": "DONE", "percent": 100},
    ),
    Case(
        name="flaky_partner",
        result={"ok": True, "said": "done"},
    ),
    Case(
        name="hotel_hold",
        result={"booked": True, "deposit": "deposit-for-hold-2"},
    ),
    Case(
        name="incident_response",
        result={"outcome": "fixed by a restart", "report": "incident-4"},
    ),
    Case(
        name="invoice_reminders",
        result={"paid": True, "by_day": 21},
    ),
    Case(
        name="invoice_run",
        result={"reason": "ALL_COMPLETED", "total": 157, "failed": ["Grace"]},
    ),
    Case(
        name="large_etl",
        result={"table": "letters_clean", "loaded": 6000},
    ),
    Case(
        name="order_saga",
        result={"status": "shipped", "payment": "payment-of-17", "parcel": "parcel-of-17"},
    ),
    Case(
        name="payment_once",
        result={"status": "paid", "known_from": "payment"},
    ),
    Case(
        name="price_comparison",
        result={"best": {"shop": "east", "price": 39}, "asked": 3, "without": 1},
    ),
    Case(
        name="quorum_read",
        result={"version": 8, "answered": 3},
    ),
    Case(
        name="render_farm",
        callbacks={"frames of mars": SILENT, "frames of venus": {"frames": 240}},
        result={"machine": "venus", "frames": 240},
    ),
    Case(
        name="step_metrics",
        result="18 degrees in Lisbon",
    ),
    Case(
        name="stock_transfer",
        result={"north": 6, "south": 4},
    ),
    Case(
        name="subscription",
        result={"status": "complete", "receipts": ["receipt-1", "receipt-2", "receipt-3"]},
    ),
    Case(
        name="trip_booking",
        result={
            "Lyon": ["train@Lyon", "room@Lyon", "table@Lyon"],
            "Turin": ["train@Turin", "tent@Turin"],
        },
    ),
    Case(
        name="typed_results",
        result={"customer": "Ada", "due": "2026-05-26", "total": "39.150"},
        is_portable=False,
    ),
    Case(
        name="webhook",
        result={"handled": True, "credited": 25},
    ),
)

PORTABLE: Final = tuple(case for case in CASES if case.is_portable)

"""A customer's data: collected in parallel, packed, mailed as a link, and removed a week later."""

from functools import partial
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import Duration, ParallelBranch, StepConfig
from perdure.retries import RetryPresets

#: A mail server is worth a few more tries than a database.
PATIENTLY = StepConfig(retry_strategy=RetryPresets.critical())


@durable_step
def collect(step: StepContext, source: str, customer: str) -> dict[str, Any]:
    counts = {"orders": 3, "messages": 12, "devices": 1}
    return {"source": source, "records": counts[source]}


@durable_step
def pack(step: StepContext, customer: str, parts: list[dict[str, Any]]) -> str:
    print(f"pack {sum(part['records'] for part in parts)} records of {customer}")
    return f"https://files.example.com/{customer}.zip"


@durable_step
def mail(step: StepContext, customer: str, text: str) -> None:
    if step.attempt < 3:
        raise ConnectionError("the mail server is busy")
    print(f"mail {customer}: {text}")


@durable_step
def remove(step: StepContext, link: str) -> None:
    print(f"remove {link}")


def collect_from(context: DurableContext, source: str, customer: str) -> dict[str, Any]:
    return context.step(collect(source, customer))


@durable_execution
def handler(event: dict[str, str], context: DurableContext) -> dict[str, Any]:
    customer = event["customer"]
    parts = context.parallel(
        [
            ParallelBranch(partial(collect_from, source=source, customer=customer), name=source)
            for source in ("orders", "messages", "devices")
        ],
        name="collect",
    )
    parts.throw_if_error()  # an export that is not whole is none
    link = context.step(pack(customer, parts.get_results()))
    context.step(mail(customer, f"your data: {link}"), name="mail the link", config=PATIENTLY)
    context.wait(Duration.from_days(7), name="the link is valid")
    context.step(remove(link))
    return {"exported": sum(part["records"] for part in parts.get_results()), "link": link}

"""A long pipeline: batch after batch in child contexts, each one result once it is over.

A crash costs the operation that is under way and no more; and what a finished batch had recorded is
not read again, so that the hundredth replay is as quick as the first.
"""

from typing import Any

from perdure import (
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_with_child_context,
)

Row = dict[str, Any]


@durable_step
def extract(step: StepContext, source: dict[str, int], offset: int, size: int) -> list[Row]:
    """Stands for a query: rows of a table, some of them broken."""
    numbers = range(offset, min(offset + size, source["rows"]))
    return [{"id": n, "value": None if n % source["broken_every"] == 0 else n} for n in numbers]


@durable_step
def load(step: StepContext, rows: list[Row]) -> int:
    print(f"load {len(rows)} rows from {rows[0]['id']}" if rows else "nothing to load")
    return len(rows)


@durable_with_child_context
def batch(context: DurableContext, source: dict[str, int], offset: int, size: int) -> Row:
    rows = context.step(extract(source, offset, size))
    # Between operations is plain code: it runs again on replay, so it must come to the same.
    clean = [{**row, "value": row["value"] * 10} for row in rows if row["value"] is not None]
    return {"read": len(rows), "loaded": context.step(load(clean))}


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, int]:
    source, size = event["source"], event["batch_size"]
    read = loaded = 0
    for number, offset in enumerate(range(0, source["rows"], size)):
        done = context.run_in_child_context(batch(source, offset, size), name=f"batch {number}")
        read += done["read"]
        loaded += done["loaded"]
    return {"read": read, "loaded": loaded, "dropped": read - loaded}

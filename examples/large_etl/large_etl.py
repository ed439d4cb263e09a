"""Large results: rows are kept in files, and a checkpoint holds where, with a preview of what.

``ETL_FOLDER`` must be a file system that every worker has, such as Amazon EFS.
"""

import os
from typing import Any

from perdure import DurableContext, StepContext, durable_execution, durable_step
from perdure.config import StepConfig
from perdure.filesystem_serdes import FileSystemSerDes, FileSystemSerDesConfig
from perdure.preview import PreviewConfig, PreviewField, PreviewMode, build_preview

SHOWN = PreviewConfig(
    mode=PreviewMode.EXCLUDE_ALL,
    include=[PreviewField("table"), PreviewField("count")],
    mask=[PreviewField("owner")],
)

IN_FILES = StepConfig(
    serdes=FileSystemSerDes(
        os.environ.get("ETL_FOLDER", "/mnt/etl"),
        FileSystemSerDesConfig(generate_preview=lambda value: build_preview(value, SHOWN)),
    )
)


@durable_step
def extract(step: StepContext, table: str, count: int) -> dict[str, Any]:
    rows = [{"id": number, "text": f"row {number} of {table}"} for number in range(count)]
    return {"table": table, "owner": "ada@example.com", "count": len(rows), "rows": rows}


@durable_step
def transform(step: StepContext, extracted: dict[str, Any]) -> dict[str, Any]:
    rows = [{**row, "text": row["text"].upper()} for row in extracted["rows"]]
    return {"table": f"{extracted['table']}_clean", "count": len(rows), "rows": rows}


@durable_step
def load(step: StepContext, transformed: dict[str, Any]) -> int:
    print(f"load {len(transformed['rows'])} rows into {transformed['table']}")
    return len(transformed["rows"])


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    extracted = context.step(extract(event["table"], event["count"]), config=IN_FILES)
    transformed = context.step(transform(extracted), config=IN_FILES)
    return {"table": transformed["table"], "loaded": context.step(load(transformed))}

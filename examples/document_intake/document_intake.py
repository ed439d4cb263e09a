"""Documents that another service reads: an id is handed out, the answer comes when it comes."""

from collections.abc import Sequence
from typing import Any

from perdure import (
    CallbackExternalError,
    DurableContext,
    StepContext,
    durable_execution,
    durable_step,
    durable_wait_for_callback,
)
from perdure.config import CompletionConfig, Duration, MapConfig, WaitForCallbackConfig
from perdure.retries import RetryPresets
from perdure.serdes import JsonSerDes
from perdure.types import WaitForCallbackContext

Document = dict[str, str]


@durable_wait_for_callback
def send_to_reader(callback_id: str, context: WaitForCallbackContext, document: Document) -> None:
    """A step: it is tried again if it fails, and never again once it has succeeded."""
    print(f"read {document['file']}, please")


@durable_step
def file_away(step: StepContext, document: Document, fields: dict[str, Any]) -> str:
    print(f"file {document['file']} under {fields['sender']}")
    return fields["sender"]


def intake(
    context: DurableContext, document: Document, index: int, documents: Sequence[Document]
) -> str:
    config = WaitForCallbackConfig(
        timeout=Duration.from_hours(12),
        serdes=JsonSerDes(),
        retry_strategy=RetryPresets.transient(),  # of the sending
    )
    try:
        fields = context.wait_for_callback(
            send_to_reader(document), name=f"read {document['file']}", config=config
        )
    except CallbackExternalError as error:
        return f"by hand: {error.message}"
    return context.step(file_away(document, fields), name=f"file {document['file']}")


@durable_execution
def handler(event: dict[str, list[Document]], context: DurableContext) -> dict[str, str]:
    documents = event["documents"]
    config = MapConfig(completion_config=CompletionConfig.all_completed())
    filed = context.map(documents, intake, name="intake", config=config)
    return {documents[item.index]["file"]: str(item.result) for item in filed.succeeded()}

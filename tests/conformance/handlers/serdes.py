"""Serializers that leave a visible mark, so that a requirement can see they were used."""

import json
from typing import Any

from .sdk import BatchItem, BatchItemStatus, BatchResult, CompletionReason, SerDes, SerDesContext


class UpperCase(SerDes[str]):
    """Write a string in upper case, bare: not as JSON."""

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return value.upper()

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data


class UpperCaseJson(SerDes[Any]):
    """Write any value as JSON whose letters are all in upper case, and read it back as JSON."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        return json.dumps(value).upper()

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        return json.loads(data)


class UpperCaseOnRead(SerDes[str]):
    """Read any payload as its own text in upper case, quotation marks and all."""

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return value

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data.upper()


class Reversed(SerDes[str]):
    """Write a string backwards behind a marker."""

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return f"reversed:{value[::-1]}"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data.removeprefix("reversed:")[::-1]


class Enveloped(SerDes[Any]):
    """Write a value as the JSON object ``{"wrapped": value}``."""

    def serialize(self, value: Any, serdes_context: SerDesContext) -> str:
        return json.dumps({"wrapped": value})

    def deserialize(self, data: str, serdes_context: SerDesContext) -> Any:
        return json.loads(data)["wrapped"]


class Prefixed(SerDes[str]):
    """Write a string behind ``wrapped:``, bare."""

    def serialize(self, value: str, serdes_context: SerDesContext) -> str:
        return f"wrapped:{value}"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> str:
        return data.removeprefix("wrapped:")


class JoinedBatch(SerDes[BatchResult[str]]):
    """Write a whole batch of strings as ``OPSERDE:`` and its results, joined by commas."""

    def serialize(self, value: BatchResult[str], serdes_context: SerDesContext) -> str:
        return f"OPSERDE:{','.join(value.get_results())}"

    def deserialize(self, data: str, serdes_context: SerDesContext) -> BatchResult[str]:
        results = data.removeprefix("OPSERDE:").split(",")
        items = [
            BatchItem(index=index, status=BatchItemStatus.SUCCEEDED, result=result)
            for index, result in enumerate(results)
        ]
        return BatchResult(items, CompletionReason.ALL_COMPLETED)

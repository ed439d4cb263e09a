"""A plain function: it runs once for each invocation, and keeps nothing."""

import json
from typing import Any


def lambda_handler(event: Any, context: Any) -> dict[str, Any]:
    print(f"asked with {json.dumps(event)}")
    return {"statusCode": 200, "body": json.dumps("Hello from Lambda!")}

"""An ordinary function."""

import os


def handler(event, context):
    print("was given", event)  # noqa: T201 - its log is looked for
    if event == "fail":
        raise ValueError("asked to")
    return {
        "given": event,
        "name": context.function_name,
        "version": context.function_version,
        "arn": context.invoked_function_arn,
        "tenant": context.tenant_id,
        "said": os.environ.get("SAID"),
    }

"""An ordinary function: programs invoke it."""


def handler(event: dict[str, int], context: object) -> int:
    return event["number"] * 2

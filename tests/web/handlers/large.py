"""Runs as many operations as it is asked for, in groups of thirty."""

from perdure import DurableContext, durable_execution

GROUP = 30


@durable_execution
def handler(event: dict, context: DurableContext) -> int:
    groups = event["operations"] // GROUP
    for group in range(groups):

        def steps(child: DurableContext, group: int = group) -> None:
            for number in range(GROUP - 1):
                child.step(lambda _, number=number: number, name=f"step {group}.{number}")

        context.run_in_child_context(steps, name=f"group {group}")
    return groups * GROUP

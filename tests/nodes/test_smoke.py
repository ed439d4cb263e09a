"""Whatever is asked may be asked of any node."""

import json
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from perdure.engine.seals import load_key
from tests.nodes.group import Group, alive
from tests.service.deployment import PYTHON, code_of, deploy, event_types, refusal
from tests.service.stage import Stage
from tests.serving import eventually, get_json

pytestmark = [pytest.mark.nodes, pytest.mark.timeout(180)]


def test_an_execution_is_started_answered_and_read_at_different_nodes(
    group: Group, stages: list[Stage]
) -> None:
    first, second, third = stages
    arn = first.start(["note", "before"], ["callback", "c"], ["note", "after"])
    second.api.send_durable_execution_callback_success(
        CallbackId=first.callback_id("c"), Result=b"yes"
    )
    assert third.result(arn) == ["before", "yes", "after"]
    assert third.notes == ["before", "after"]
    seen = [event_types(stage.api, arn) for stage in stages]
    assert seen[0] == seen[1] == seen[2]


def test_what_one_node_has_acknowledged_every_node_shows(stages: list[Stage]) -> None:
    """F9: read your writes, wherever."""
    first, second, third = stages
    arn = first.start(["callback", "open"])
    first.callback_id("open")
    for turn in range(10):
        writer, reader = stages[turn % 3], stages[(turn + 1) % 3]
        writer.api.pause_durable_execution(DurableExecutionArn=arn) if turn % 2 == 0 else (
            writer.api.resume_durable_execution(DurableExecutionArn=arn)
        )
        assert (reader.status(arn) == "RUNNING") == (turn % 2 == 1)
    second.api.stop_durable_execution(DurableExecutionArn=arn)
    assert third.status(arn) == "STOPPED"


def test_a_stop_at_one_node_ends_the_invocation_at_another(stages: list[Stage]) -> None:
    arn = stages[0].start(["gate", "never"])
    stages[0].entered("never")
    for stage in stages:
        stage.api.stop_durable_execution(DurableExecutionArn=arn)
    assert {stage.status(arn) for stage in stages} == {"STOPPED"}


def test_a_synchronous_caller_waits_at_one_node_for_what_ends_at_another(
    group: Group, stages: list[Stage]
) -> None:
    first, second, _ = stages
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(
            first.api.invoke,
            FunctionName="actor",
            Qualifier="$LATEST",
            Payload=json.dumps(first.event(["callback", "c"])),
        )
        callback_id = first.callback_id("c")
        second.api.send_durable_execution_callback_success(CallbackId=callback_id, Result=b"done")
        answer = waiting.result(timeout=60)
    assert json.load(answer["Payload"]) == ["done"]


def test_a_function_made_at_one_node_runs_at_all(group: Group, stages: list[Stage]) -> None:
    first, second, third = (node.api for node in group)
    deploy(first, "made", "actor", environment={"WHO": "one"})
    version = second.publish_version(FunctionName="made")["Version"]
    third.create_alias(FunctionName="made", Name="live", FunctionVersion=version)

    def said(api: object, qualifier: str) -> str:
        event = json.dumps(stages[0].event(["say", "WHO"]))
        answer = api.invoke(FunctionName="made", Qualifier=qualifier, Payload=event)
        return json.load(answer["Payload"])[0]

    assert [said(api, "live") for api in (first, second, third)] == ["one"] * 3
    second.update_function_configuration(
        FunctionName="made", Environment={"Variables": {"WHO": "two"}}
    )
    third.update_function_code(FunctionName="made", ZipFile=code_of("actor"))
    newer = first.publish_version(FunctionName="made")["Version"]
    assert newer != version
    assert [said(api, newer) for api in (third, second, first)] == ["two"] * 3
    assert said(second, "live") == "one"
    first.update_alias(FunctionName="made", Name="live", FunctionVersion=newer)
    eventually(lambda: said(second, "live") == "two", seconds=5, what="the alias at another node")
    third.delete_function(FunctionName="made")
    assert refusal(first.get_function, FunctionName="made")[1] == 404


def test_a_reserved_concurrency_holds_for_all_nodes_together(
    group: Group, stages: list[Stage]
) -> None:
    first = stages[0]
    deploy(first.api, "reserved", "actor", Runtime=PYTHON)
    first.api.put_function_concurrency(FunctionName="reserved", ReservedConcurrentExecutions=2)
    few = [Stage(stage.api, stage.folder, "reserved") for stage in stages]
    arns = [few[n % 3].start(["gate", f"g{n}"], ["note", f"n{n}"]) for n in range(6)]

    def entered() -> list[str]:
        return sorted(file.stem for file in first.folder.glob("*.entered"))

    opened: set[str] = set()
    while len(opened) < len(arns):
        eventually(lambda: set(entered()) - opened, seconds=30, what="the next one")
        threading.Event().wait(0.3)  # one too many would come now
        running = [name for name in entered() if name not in opened]
        assert len(running) <= 2
        first.open(running[0])
        opened.add(running[0])
    for arn in arns:
        few[0].become(arn, "SUCCEEDED")


def test_each_node_says_who_it_is_and_who_the_others_are(group: Group) -> None:
    ids = {node.node_id for node in group}
    assert len(ids) == 3
    for node in group:
        health = get_json(f"{node.url}/healthz")
        assert (health["status"], health["store"]) == ("ok", "postgresql")
        assert any("fsync is off" in weakness for weakness in health["weakDurability"])
        assert get_json(f"{node.url}/readyz") == {"status": "ready"}
        assert {one["node_id"] for one in alive(node)} == ids


def test_the_command_lists_the_nodes(group: Group) -> None:
    command = [sys.executable, "-m", "perdure.cli.main", "nodes"]
    done = subprocess.run(
        [*command, "--endpoint", group.nodes[0].url], capture_output=True, text=True, check=True
    )
    head, *rows = done.stdout.splitlines()
    assert head.split()[:3] == ["NODE", "ADDRESS", "STATE"]
    assert sorted(row.split()[:3] for row in rows) == sorted(
        [node.node_id, node.url, "alive"] for node in group
    )


def test_a_store_that_is_none_is_refused(group: Group) -> None:
    folder = group.key_file.parent
    for store, said in (
        ("mysql://root@127.0.0.1/x", "known are postgres:// and postgresql://"),
        ("postgres://u:hush@127.0.0.1:1/x", "cannot be reached"),
    ):
        stranger = group.node(folder / "wrong", "--store", store)
        with pytest.raises(AssertionError, match=said):
            stranger.start()
        assert "hush" not in stranger.stderr
        assert "Traceback" not in stranger.stderr


def test_a_node_with_another_key_is_refused(group: Group) -> None:
    other = group.key_file.parent / "other-key"
    load_key(other)
    stranger = group.node(group.key_file.parent / "stranger", "--key-file", str(other))
    with pytest.raises(AssertionError, match="sign with another key; give this one the same"):
        stranger.start()
    assert "postgres://" not in stranger.stderr

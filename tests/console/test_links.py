"""Approval links: one link decides one callback once; to look changes nothing (C1, SR-19)."""

import asyncio
import json
import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from perdure.console.links import LinkProblem
from perdure.core.commands import Delete, Stop
from perdure.engine.seals import Seals

from .rig import HOST, ORIGIN, Answer, Rig, a_console, callback, context, doing, step

OWN = {"origin": ORIGIN, "content-type": "application/x-www-form-urlencoded"}
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>&lt;{title}"
TAGS = {
    *("html", "head", "meta", "title", "link", "body", "main", "p", "h1", "dl", "dt", "dd"),
    *("time", "form", "label", "span", "textarea", "button", "bdi"),
}


async def a_link(rig: Rig, *, expires_seconds: int = 600, question: str = "") -> tuple[str, str]:
    """Return an execution that waits for a callback, and a link's path."""
    arn = await rig.start()
    (wait,) = (await rig.explain(arn))["waits"]
    made = await make(
        rig,
        callback_id=wait["callback_id"],
        expires_seconds=expires_seconds,
        question=question,
    )
    assert made.status == 200, made.text
    assert made.json["url"].startswith(f"http://{HOST}/console/approve/")
    return arn, made.json["url"].removeprefix(f"http://{HOST}")


async def make(rig: Rig, **document: Any) -> Answer:
    """Return what the making of a link is answered."""
    return await rig.ask("POST", "/console/api/callback-links", body=json.dumps(document).encode())


async def decide(
    rig: Rig, path: str, decision: str, comment: str = "", headers: dict[str, str] = OWN
) -> Answer:
    """Send the page's form."""
    form = urlencode({"decision": decision, "comment": comment}).encode()
    return await rig.ask("POST", path, body=form, headers=headers)


async def history(rig: Rig, arn: str) -> list[str]:
    """Return the kinds of the execution's events about its callback."""
    events = await rig.service.history(arn)
    return [one["EventType"] for one in events if one["EventType"].startswith("Callback")]


def test_approve_answers_the_callback_and_the_execution_goes_on(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            answer = await decide(rig, path, "approve", 'looks "good"')
            await rig.service.settle()

            assert (answer.status, "Approved" in answer.text) == (200, True)
            assert (await rig.service.get(arn))["Status"] == "SUCCEEDED"
            events = await rig.service.history(arn)
            (sent,) = [e for e in events if e["EventType"] == "CallbackSucceeded"]
            payload = sent["CallbackSucceededDetails"]["Result"]["Payload"]
            assert payload == '{"approved":true,"comment":"looks \\"good\\""}'

    asyncio.run(story())


@pytest.mark.parametrize(
    ("comment", "message"), [("too dear", "too dear"), ("", "rejected by link")]
)
def test_reject_fails_the_callback(tmp_path: Path, comment: str, message: str) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            answer = await decide(rig, path, "reject", comment)

            assert (answer.status, "Rejected" in answer.text) == (200, True)
            events = await rig.service.history(arn)
            (failed,) = [e for e in events if e["EventType"] == "CallbackFailed"]
            assert failed["CallbackFailedDetails"]["Error"]["Payload"] == {
                "ErrorType": "CallbackRejected",
                "ErrorMessage": message,
            }

    asyncio.run(story())


def test_to_look_changes_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            before = await rig.service.history(arn)
            for method in ("GET", "HEAD", "GET"):
                assert (await rig.ask(method, path)).status == 200
            assert await rig.service.history(arn) == before
            link = await rig.links.open(path.rpartition("/")[2], rig.service.clock.now_ms())
            assert not isinstance(link, LinkProblem)
            assert (link.decision, link.revision) == ("", 1)

    asyncio.run(story())


def test_a_link_decides_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            assert (await decide(rig, path, "approve")).status == 200
            for again in ("approve", "reject"):
                answer = await decide(rig, path, again)
                assert (answer.status, "used before" in answer.text) == (410, True)
            answer = await rig.ask("GET", path)
            assert (answer.status, "It approved the callback at" in answer.text) == (410, True)
            assert await history(rig, arn) == ["CallbackStarted", "CallbackSucceeded"]

    asyncio.run(story())


@pytest.mark.parametrize("decisions", [("approve", "reject"), ("approve", "approve")])
def test_of_two_who_decide_at_once_one_is_told_that_it_was_late(
    tmp_path: Path, decisions: tuple[str, str]
) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            for _ in range(10):
                arn, path = await a_link(rig)
                answers = await asyncio.gather(*(decide(rig, path, one) for one in decisions))
                assert sorted(answer.status for answer in answers) == [200, 410]
                assert len(await history(rig, arn)) == 2

    asyncio.run(story())


def test_two_links_decide_one_callback_once(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, first = await a_link(rig)
            (wait,) = (await rig.explain(arn))["waits"]
            second = (await make(rig, callback_id=wait["callback_id"])).json["url"]
            second = second.removeprefix(f"http://{HOST}")
            assert second != first
            assert (await decide(rig, first, "reject")).status == 200
            answer = await decide(rig, second, "approve")
            assert (answer.status, "nothing to decide" in answer.text) == (410, True)
            assert (await rig.ask("GET", second)).status == 410
            assert (await make(rig, callback_id=wait["callback_id"])).status == 409

    asyncio.run(story())


def test_expired_links_say_so_and_are_swept_up(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig, expires_seconds=60)
            _, later = await a_link(rig, expires_seconds=120)
            rig.service.clock.at_ms += 60_000  # type: ignore[attr-defined]
            for answer in (await rig.ask("GET", path), await decide(rig, path, "approve")):
                assert (answer.status, "has expired" in answer.text) == (410, True)
            assert await history(rig, arn) == ["CallbackStarted"]

            await rig.links.prune(rig.service.clock.now_ms())
            assert len(await rig.store.list_records("approval-link")) == 1
            assert (await rig.ask("GET", later)).status == 200

    asyncio.run(story())


def test_forged_links_open_nothing(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            link = path.rpartition("/")[2]
            body, mac = link[:44], link[44:]
            other = Seals(b"x" * 32).derive("approval link", body).hex()
            elsewhere = rig.seals.derive("console token", body).hex()
            longer = f"ff{body[2:]}"
            for forged in (
                *(link[:-2], link[2:], f"{link}00", f"{body}{other}", f"{body}{elsewhere}"),
                *(f"{longer}{mac}", "0" * len(link), mac, "x", "%2e%2e", "%00"),
            ):
                for answer in (
                    await rig.ask("GET", f"/console/approve/{forged}"),
                    await decide(rig, f"/console/approve/{forged}", "approve"),
                ):
                    assert (answer.status, "not valid" in answer.text) == (403, True), forged
            assert await history(rig, arn) == ["CallbackStarted"]

    asyncio.run(story())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"origin": "http://evil.test"},
        {"origin": "null"},
        {"origin": f"http://{HOST}.evil.test"},
        {"origin": f"http://evil.test/{HOST}"},
    ],
)
def test_a_form_from_elsewhere_decides_nothing(tmp_path: Path, headers: dict[str, str]) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            assert (await decide(rig, path, "approve", headers=headers)).status == 403
            assert await history(rig, arn) == ["CallbackStarted"]

    asyncio.run(story())


@pytest.mark.parametrize(
    "form",
    [b"", b"decision=perhaps", b"decision=approve&comment=" + b"x" * 2_001, b"\xff", b"a&" * 99],
)
def test_a_form_that_says_nothing_decides_nothing(tmp_path: Path, form: bytes) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            answer = await rig.ask("POST", path, body=form, headers=OWN)
            assert answer.status == 400
            assert await history(rig, arn) == ["CallbackStarted"]

    asyncio.run(story())


def test_what_users_named_is_text_on_the_page(tmp_path: Path) -> None:
    updates = (
        context(Name=HOSTILE, SubType="WaitForCallback"),
        callback(Name="inner", ParentId="context"),
        step(operation_id="tell", ParentId="context", Name=HOSTILE),
        step("SUCCEED", "tell", ParentId="context", Name=HOSTILE, Payload=HOSTILE),
    )

    async def story() -> None:
        async with a_console(tmp_path, doing(*updates)) as rig:
            _, path = await a_link(rig, question=f"{HOSTILE}\u202e")
            answer = await rig.ask("GET", path)
            assert "<script" not in answer.text
            assert "<img" not in answer.text
            assert "&lt;script&gt;alert(1)&lt;/script&gt;&quot;&#x27;&gt;" in answer.text
            assert set(re.findall(r"<(\w+)", answer.text)) <= TAGS
            (pending,) = (await rig.get("callbacks"))["callbacks"]
            assert pending["name"] == HOSTILE
            assert pending["submitter"] == {
                "name": HOSTILE,
                "status": "SUCCEEDED",
                "result": HOSTILE,
            }

    asyncio.run(story())


def test_the_page_lets_a_browser_do_nothing_else(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            _, path = await a_link(rig)
            for answer in (await rig.ask("GET", path), await rig.ask("GET", "/console/approve/x")):
                assert answer.headers["content-security-policy"] == (
                    "default-src 'none'; style-src 'self'; form-action 'self';"
                    " frame-ancestors 'none'; base-uri 'none'"
                )
                assert answer.headers["referrer-policy"] == "same-origin"
                assert answer.headers["cache-control"] == "no-store"
                assert answer.headers["content-type"] == "text/html; charset=utf-8"
            style = await rig.ask("GET", "/console/approve.css")
            assert style.headers["content-type"] == "text/css; charset=utf-8"
            assert "prefers-color-scheme: dark" in style.text

    asyncio.run(story())


@pytest.mark.parametrize(
    ("document", "status"),
    [
        ({"expires_seconds": 59}, 400),
        ({"expires_seconds": 2_592_001}, 400),
        ({"expires_seconds": "60"}, 400),
        ({"question": "x" * 501}, 400),
        ({"callback_id": "00" * 64}, 404),
        ({"callback_id": "nonsense"}, 404),
        ({"callback_id": None}, 400),
        ({"other": 1}, 400),
    ],
)
def test_a_link_is_made_within_bounds(
    tmp_path: Path, document: dict[str, Any], status: int
) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn = await rig.start()
            (wait,) = (await rig.explain(arn))["waits"]
            answer = await make(rig, **({"callback_id": wait["callback_id"]} | document))
            assert answer.status == status, answer.text
            assert await rig.store.list_records("approval-link") == []

    asyncio.run(story())


def test_a_link_to_an_execution_that_is_gone_says_so(tmp_path: Path) -> None:
    async def story() -> None:
        async with a_console(tmp_path, doing(callback())) as rig:
            arn, path = await a_link(rig)
            await decide(rig, (await a_link(rig))[1], "approve")
            execution_id = arn.rpartition("/")[2]
            await rig.service.engine.carry_out(execution_id, Stop())
            assert (await decide(rig, path, "approve")).status == 410
            await rig.service.engine.carry_out(execution_id, Delete())
            await rig.store.erase(execution_id)
            rig.service.engine.forget(execution_id)
            for answer in (await rig.ask("GET", path), await decide(rig, path, "approve")):
                assert answer.status == 410

    asyncio.run(story())

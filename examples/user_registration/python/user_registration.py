"""A user's registration, which an outside service has to process: a Python twin of the JavaScript.

It asks the service to start, looks every five seconds whether it is done, ten times at most, and
welcomes the user.
"""

import json
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from aws_durable_execution_sdk_python import DurableContext, StepContext, durable_execution
from aws_durable_execution_sdk_python.config import Duration

SERVICE_URL = "https://kameda.requestcatcher.com"
ATTEMPTS_MAX = 10
POLL_SECONDS = 5
TIMEOUT_SECONDS = 10


def now() -> str:
    """Return the instant as JavaScript writes it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def call(path: str, data: dict[str, str] | None = None) -> int:
    """Return the status that the service answers; data is posted.

    Raises:
        OSError: it does not answer.
    """
    request = urllib.request.Request(
        f"{SERVICE_URL}{path}",
        data=None if data is None else json.dumps(data).encode(),
        headers={"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request, timeout=TIMEOUT_SECONDS) as response:
            return response.status
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def validate(step: StepContext, username: str | None, email: str | None) -> dict[str, str]:
    step.logger.info("ユーザー検証中: %s", username)
    if not username or not email:
        raise ValueError("ユーザー名とメールアドレスは必須です")
    return {"username": username, "email": email, "status": "validated"}


def start_job(step: StepContext, username: str, email: str) -> dict[str, str]:
    data = {
        "username": username,
        "email": email,
        "timestamp": now(),
        "message": "非同期処理を開始",
    }
    status = call("/start-job", data)
    step.logger.info("処理開始リクエスト送信: %s", status)
    return {"jobId": f"job-{int(time.time() * 1000)}", "startTime": now()}


def check_status(step: StepContext, job_id: str, attempt: int, user: dict[str, str]) -> Any:
    try:
        status = call(f"/check-status/{job_id}")
    except OSError as error:
        step.logger.error("ステータス確認エラー: %s", error)
        return {"completed": False, "status": "error", "error": str(error)}
    step.logger.info("ステータス確認: %s", status)
    if status != 200:
        return {"completed": False, "status": "processing", "attempt": attempt}
    return {"completed": True, "status": "success", "data": {**user, "processedAt": now()}}


def send_welcome(step: StepContext, username: str, email: str) -> dict[str, str]:
    step.logger.info("ウェルカムメッセージ送信: %s", email)
    message = f"ようこそ、{username}さん!外部システムの処理が完了し、登録が完了しました。"
    return {"username": username, "email": email, "message": message, "status": "sent"}


@durable_execution
def handler(event: dict[str, Any], context: DurableContext) -> dict[str, Any]:
    username, email = event.get("username"), event.get("email")
    context.logger.info("ユーザー登録処理開始: %s", username)

    valid = context.step(lambda step: validate(step, username, email))
    user = {"username": valid["username"], "email": valid["email"]}
    job = context.step(lambda step: start_job(step, **user))
    context.logger.info("ジョブID: %s - ポーリング開始", job["jobId"])

    result = wait_for(context, job["jobId"], user)
    welcome = context.step(lambda step: send_welcome(step, **user))
    return {
        "status": "completed",
        **user,
        "message": welcome["message"],
        "jobResult": result,
        "totalWaitTime": f"約{POLL_SECONDS * (result.get('attempt') or 1)}秒",
    }


def wait_for(context: DurableContext, job_id: str, user: dict[str, str]) -> dict[str, Any]:
    """Return what the service has made of the job.

    Raises:
        TimeoutError: it was not done in time.
    """
    for attempt in range(1, ATTEMPTS_MAX + 1):
        context.logger.info("ポーリング試行 %s/%s", attempt, ATTEMPTS_MAX)
        context.wait(Duration.from_seconds(POLL_SECONDS))
        result = context.step(
            lambda step, attempt=attempt: check_status(step, job_id, attempt, user)
        )
        if result["completed"]:
            context.logger.info("処理完了を確認しました(試行%s回目)", attempt)
            return result
        context.logger.info("まだ処理中... 次の確認まで%s秒待機", POLL_SECONDS)
    seconds = ATTEMPTS_MAX * POLL_SECONDS
    raise TimeoutError(f"タイムアウト: {seconds}秒以内に処理が完了しませんでした")

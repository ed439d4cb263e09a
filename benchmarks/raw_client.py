"""A client that costs little: checkpoints over plain sockets, one connection an execution. Run as a
process.

Reads a list of [execution ARN, checkpoint token] from standard input; prints one line of JSON.
"""

import asyncio
import json
import sys
import time
from urllib.parse import quote

import uvloop


async def connection(
    port: int, arn: str, token: str, checkpoints: int, latencies: list[float]
) -> None:
    """Send checkpoints one after another, each a step of about 1 KB, START and SUCCEED in one
    batch.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}/checkpoint"
    payload = json.dumps("x" * 700)
    for number in range(checkpoints):
        step = {"Id": f"step-{number}", "Type": "STEP", "SubType": "Step", "Name": "work"}
        body = json.dumps(
            {
                "CheckpointToken": token,
                "ClientToken": f"{number}",
                "Updates": [
                    {**step, "Action": "START"},
                    {**step, "Action": "SUCCEED", "Payload": payload},
                ],
            }
        ).encode()
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        began = time.perf_counter()
        writer.write(head.encode() + body)
        answer = await reader.readuntil(b"\r\n\r\n")
        length = int(answer.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        content = await reader.readexactly(length)
        latencies.append(time.perf_counter() - began)
        if not answer.startswith(b"HTTP/1.1 200"):
            raise RuntimeError(content)
        start = content.index(b'"CheckpointToken":"') + 19
        token = content[start : content.index(b'"', start)].decode()
    writer.close()


async def main(port: int, checkpoints: int) -> None:
    """Run all connections at once."""
    executions = json.load(sys.stdin)
    latencies: list[float] = []
    began = time.perf_counter()
    await asyncio.gather(
        *(connection(port, arn, token, checkpoints, latencies) for arn, token in executions)
    )
    seconds = time.perf_counter() - began
    latencies.sort()
    print(
        json.dumps(
            {
                "checkpoints": len(latencies),
                "per_second": len(latencies) / seconds,
                "p50_ms": latencies[len(latencies) // 2] * 1000,
                "p99_ms": latencies[len(latencies) * 99 // 100] * 1000,
            }
        )
    )


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2])))

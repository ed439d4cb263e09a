"""A client that costs little: checkpoints over plain sockets, one connection an execution.

Run as a process. Reads a list of [execution ARN, checkpoint token] from standard input; prints one
line of JSON.
"""

import asyncio
import json
import sys
import time
from typing import Final
from urllib.parse import quote

import uvloop

_PAYLOAD: Final = b"x" * 700
_TOKEN: Final = b'"CheckpointToken":"'
_STEP: Final = b'"Type":"STEP","SubType":"Step","Name":"work"'


class Connection(asyncio.Protocol):
    """Sends checkpoints one after another, each a step of about 1 KB: START and SUCCEED."""

    def __init__(self, port: int, arn: str, token: str, checkpoints: int) -> None:
        """Begin when connected."""
        path = f"/2025-12-01/durable-executions/{quote(arn, safe='')}/checkpoint"
        self._head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
            "Content-Type: application/json\r\nContent-Length: "
        ).encode()
        self._token = token.encode()
        self._left = checkpoints
        self._buffer = b""
        self.latencies: list[float] = []
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first one."""
        self._transport = transport
        self._send()

    def data_received(self, data: bytes) -> None:
        """Take an answer; send the next one."""
        self._buffer += data
        end = self._buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self._buffer[:end].lower()
        length = int(head.split(b"content-length:", 1)[1].split(b"\r\n", 1)[0])
        if len(self._buffer) < end + 4 + length:
            return
        body = self._buffer[end + 4 :]
        self._buffer = b""
        self.latencies.append(time.perf_counter() - self._began)
        if not head.startswith(b"http/1.1 200"):
            self.done.set_exception(RuntimeError(body.decode()))
            return
        start = body.index(_TOKEN) + len(_TOKEN)
        self._token = body[start : body.index(b'"', start)]
        self._left -= 1
        if self._left:
            self._send()
        else:
            self._transport.close()
            self.done.set_result(None)

    def _send(self) -> None:
        number = self._left
        body = (
            b'{"CheckpointToken":"%b","ClientToken":"%d","Updates":['
            b'{"Id":"s%d",%b,"Action":"START"},'
            b'{"Id":"s%d",%b,"Action":"SUCCEED","Payload":"\\"%b\\""}]}'
        ) % (self._token, number, number, _STEP, number, _STEP, _PAYLOAD)
        self._began = time.perf_counter()
        self._transport.write(b"%b%d\r\n\r\n%b" % (self._head, len(body), body))


async def main(port: int, checkpoints: int) -> None:
    """Run all connections at once."""
    loop = asyncio.get_running_loop()
    connections: list[Connection] = []
    began = time.perf_counter()
    for arn, token in json.load(sys.stdin):
        connection = Connection(port, arn, token, checkpoints)
        await loop.create_connection(lambda c=connection: c, "127.0.0.1", port)
        connections.append(connection)
    await asyncio.gather(*(connection.done for connection in connections))
    seconds = time.perf_counter() - began
    latencies = sorted(latency for c in connections for latency in c.latencies)
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

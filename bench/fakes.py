"""The fake vendors under load: they must never be what a test of the hub waits for.

    python bench/fakes.py [--orders 10000]

One server process, one client process with 16 connections, signed Qimen delivery orders of 1.5 kB, each with its own
number. Limit: 500 a second. Memory is told after as many orders again, for it is bounded: the second figure may not be
half as much again as the first. The last line is the figures as one JSON object.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlencode, urlsplit

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from orderhub.connectors.fakes.world import World  # noqa: E402
from tests.connectors.fakes import calls  # noqa: E402

CONNECTIONS = 16
LIMIT_PER_SECOND = 500
LIMIT_GROWTH = 1.5


def requests(world: World, name: str, count: int) -> list[bytes]:
    """Signed requests as bytes, so that the client has nothing to do but send."""
    made = []
    for number in range(count):
        body = calls.DELIVERY.format(code=f"{name}-{number}").encode()
        query = urlencode(calls.qimen_query(world, "deliveryorder.create", body))
        head = (
            f"POST /qimen/router?{query} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


async def send(port: int, some: list[bytes]) -> int:
    """Send one after the other over one connection; how many were taken in."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    taken = 0
    for request in some:
        writer.write(request)
        head = (await reader.readuntil(b"\r\n\r\n")).lower()
        size = int(head.partition(b"content-length:")[2].split(b"\r\n")[0])
        taken += b"<flag>success</flag>" in await reader.readexactly(size)
    writer.close()
    return taken


async def load(port: int, all_of_them: list[bytes]) -> int:
    """Send over all connections at a time."""
    shares = [send(port, all_of_them[number::CONNECTIONS]) for number in range(CONNECTIONS)]
    return sum(await asyncio.gather(*shares))


def memory_mb(pid: int) -> float:
    """Resident memory of a process (Linux)."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1]) / 1024


def main() -> int:
    """Measure and print; 1 if a limit is broken."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--orders", type=int, default=10_000)
    orders = parser.parse_args().orders
    command = [sys.executable, str(ROOT / "manage.py"), "fake_vendors", "--port", "0"]
    server = subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"}
    )
    try:
        assert server.stdout
        base = next(line.split()[1] for line in server.stdout if line.startswith("control")).removesuffix(
            "/_world/"
        )
        port, world = urlsplit(base).port or 0, World.connect(base)
        rates, sizes = [], []
        # The shelf and the record are full (20,000) before memory is read first.
        for name in ("WARM", "FIRST", "SECOND"):
            ready = requests(world, name, max(orders, 20_000) if name == "WARM" else orders)
            begin = time.perf_counter()
            taken = asyncio.run(load(port, ready))
            rates.append(taken / (time.perf_counter() - begin))
            sizes.append(memory_mb(server.pid))
            assert taken == len(ready), f"{len(ready) - taken} were refused"
        world.close()
    finally:
        server.terminate()
        server.wait(10)
    rate, growth = min(rates[1:]), sizes[-1] / sizes[0]
    print(
        f"{rate:,.0f} delivery orders a second (limit {LIMIT_PER_SECOND}); memory {sizes[0]:.0f} → {sizes[-1]:.0f} MB"
    )
    print(json.dumps({"per_second": round(rate), "memory_mb": [round(one) for one in sizes]}))
    return int(rate < LIMIT_PER_SECOND or growth > LIMIT_GROWTH)


if __name__ == "__main__":
    sys.exit(main())

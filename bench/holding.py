"""Channels that hold quantities, for benches: one process behind a socket that checks signatures and says what it holds.

Not a bench itself. It speaks the profile `generic_channel`; each path below it is a shop of its own.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import multiprocessing
import time
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "bench-channel-secret"
_KEPT = 400_000


class Shelf:
    """The other side: by shop and SKU the quantity shown, and every quantity told with its moment."""

    def __init__(self, port: int) -> None:
        import httpx

        self.url = f"http://127.0.0.1:{port}"
        self._client = httpx.Client(base_url=self.url, timeout=30, trust_env=False)

    def told(self, after: int = 0) -> list[tuple[float, str, str, int]]:
        """What was told since: moment (epoch), shop, SKU, quantity."""
        return [tuple(row) for row in self._client.get("/told", params={"after": after}).json()]

    def held(self) -> dict[str, dict[str, int]]:
        """What each shop shows."""
        held: dict[str, dict[str, int]] = self._client.get("/held").json()
        return held

    def delay(self, seconds: float) -> None:
        """Answer so much later from now on."""
        self._client.post("/delay", json={"seconds": seconds})


@contextlib.contextmanager
def shelf() -> Iterator[Shelf]:
    """A running process with empty shops."""
    ours, theirs = multiprocessing.Pipe()
    process = multiprocessing.get_context("fork").Process(target=_serve, args=(theirs,), daemon=True)
    process.start()
    try:
        yield Shelf(int(ours.recv()))
    finally:
        process.kill()
        process.join()


def _serve(pipe: Any) -> None:
    held: dict[str, dict[str, int]] = {}
    told: list[tuple[float, str, str, int]] = []
    slow = [0.0]

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/delay":
                slow[0] = float(json.loads(body)["seconds"])
                self._say(200, {"ok": True})
                return
            signed = f"{self.headers.get('X-Timestamp', '')}.".encode() + body
            wanted = hmac.new(SECRET.encode(), signed, hashlib.sha256).hexdigest()
            if not hmac.compare_digest(wanted, self.headers.get("X-Signature", "")):
                self._say(401, {"ok": False, "message": "signature"})
                return
            time.sleep(slow[0])
            now, shop = time.time(), self.path.strip("/").partition("/")[0]
            for item in json.loads(body).get("items", ()):
                held.setdefault(shop, {})[item["sku"]] = int(item["qty"])
                told.append((now, shop, item["sku"], int(item["qty"])))
            del told[:-_KEPT]
            self._say(200, {"ok": True, "reference": "taken"})

        def do_GET(self) -> None:
            if self.path == "/held":
                self._say(200, held)
            else:
                self._say(200, told[int(self.path.partition("after=")[2] or 0) :])

        def _say(self, status: int, tree: Any) -> None:
            text = json.dumps(tree).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_words: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    pipe.send(server.server_address[1])
    server.serve_forever()


def connect(
    code: str, *, config: Mapping[str, Any], secrets: Mapping[str, str], calls_per_second: int, profile: str = "",
    channel: Any = None,
) -> Any:  # fmt: skip
    """A live connection of the bench's merchant that speaks a shipped profile."""
    from orderhub.access.models import Merchant
    from orderhub.connectors import secretbox
    from orderhub.connectors.models import Connection, Profile
    from orderhub.kernel import clock

    row = Connection(
        merchant=Merchant.objects.get(), code=code, name=code, kind="profile", allows_private=True, channel=channel,
        profile=Profile.objects.get(code=profile or code, merchant=None), calls_per_second=calls_per_second,
        config=dict(config),
    )  # fmt: skip
    for name, value in secrets.items():
        secretbox.put(row, name, value, now=clock.now())
    row.save()
    return row


def connect_channel(code: str, shelf: Shelf) -> Any:
    """A channel with a stock rule whose quantities go to the shop of that name; the channel."""
    from orderhub.access.models import Merchant
    from orderhub.connectors.models import StockRule
    from orderhub.orders.models import Channel

    merchant = Merchant.objects.get()
    channel = Channel.objects.create(merchant=merchant, code=code, name=code)
    StockRule.objects.create(merchant=merchant, channel=channel)
    connect(
        code, profile="generic_channel", channel=channel, calls_per_second=1000, secrets={"secret": SECRET},
        config={"base_url": f"{shelf.url}/{code}"},
    )  # fmt: skip
    return channel

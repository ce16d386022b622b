"""Three systems nobody has seen, as small servers: a market, a warehouse and a carrier, each with ways of its own."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import threading
import time
import xml.etree.ElementTree as Xml
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx

SECRET = "word-of-the-three"
TOKEN = "tok-4711"


@dataclass(slots=True)
class Asked:
    """One request a stranger got."""

    method: str
    path: str
    query: dict[str, list[str]]
    headers: dict[str, str]
    body: bytes


@dataclass
class Strangers:
    """The market under /market, the warehouse under /depot, the carrier under /courier; what each was asked, and its answers."""

    asked: list[Asked] = field(default_factory=list)
    pages: dict[str, list[Any]] = field(default_factory=dict)
    url: str = ""
    _server: ThreadingHTTPServer | None = None

    def __enter__(self) -> Strangers:
        answer = self._answer

        class Handler(BaseHTTPRequestHandler):
            def _serve(self) -> None:
                size = int(self.headers.get("content-length") or 0)
                parts = urlsplit(self.path)
                headers = {name.lower(): value for name, value in self.headers.items()}
                status, kind, body = answer(
                    Asked(self.command, parts.path, parse_qs(parts.query), headers, self.rfile.read(size))
                )
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = _serve

            def log_message(self, *_args: Any) -> None:
                """Nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_fault: object) -> None:
        assert self._server is not None
        self._server.shutdown()
        self._server.server_close()

    def find(self, path: str, word: str = "") -> Asked | None:
        """The first request to a path (its beginning) that has a word in it."""
        return next(
            (
                one
                for one in list(self.asked)
                if one.path.startswith(path) and word.encode() in one.body + one.path.encode()
            ),
            None,
        )

    def _answer(self, asked: Asked) -> tuple[int, str, bytes]:
        self.asked.append(asked)
        makers: dict[str, Callable[[Asked], tuple[int, str, bytes]]] = {
            "market": self._market, "depot": _depot, "courier": _courier,
        }  # fmt: skip
        return makers[asked.path.split("/")[1]](asked)

    def _market(self, asked: Asked) -> tuple[int, str, bytes]:
        """Tokens for an hour; orders by pages that name the next; parcels are told by PATCH."""
        if asked.path == "/market/oauth":
            given = parse_qs(asked.body.decode())
            fits = given.get("client_id") == ["hub"] and given.get("client_secret") == ["shh"]
            return (
                (200, *_json({"access_token": TOKEN, "expires_in": 3600}))
                if fits
                else (400, *_json({"error": "invalid_client"}))
            )
        if asked.headers.get("authorization") != f"Bearer {TOKEN}":
            return 401, *_json({"error": "token"})
        if asked.method == "PATCH":
            return 200, *_json({"data": {"id": asked.path.rsplit("/", 1)[-1], "type": "order"}})
        cursor = asked.query.get("cursor", [""])[0]
        following = f"https://market.example/orders?limit=50&cursor={'two' if not cursor else ''}"
        return 200, *_json(
            {"events": self.pages.get(cursor, []), "links": {"next": following if not cursor else None}}
        )


def _json(value: Any) -> tuple[str, bytes]:
    return "application/vnd.api+json", json.dumps(value).encode()


def _depot(asked: Asked) -> tuple[int, str, bytes]:
    """SOAP 1.1; a fault comes with 500."""
    soap = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>{}</s:Body></s:Envelope>'
    try:
        number = Xml.fromstring(asked.body).find(".//{urn:depot}No")
    except Xml.ParseError:
        number = None
    if number is None or asked.headers.get("soapaction") != "urn:depot#NewJob":
        fault = "<s:Fault><faultcode>s:Client</faultcode><faultstring>no number</faultstring></s:Fault>"
        return 500, "text/xml", soap.format(fault).encode()
    return (
        200,
        "text/xml",
        soap.format(
            f'<NewJobResult xmlns="urn:depot"><Code>OK</Code><Job>J-{number.text}</Job></NewJobResult>'
        ).encode(),
    )


def _courier(asked: Asked) -> tuple[int, str, bytes]:
    """Name and password; a line of text says whether it watches."""
    wanted = "Basic " + base64.b64encode(b"hub:pass").decode()
    return (
        (200, "text/plain", b"OK|W-77")
        if asked.headers.get("authorization") == wanted
        else (200, "text/plain", b"ERR|who are you")
    )


# ---- what they send --------------------------------------------------------------------------------


def event(number: str, *, cents: str = "2000", sku: str = "DEMO-001") -> dict[str, Any]:
    """An order as the market tells it: JSON:API, its lines beside it, money in small units with a scale."""
    return {
        "id": f"ev-{number}", "topic": "order.paid",
        "data": {
            "type": "order", "id": number,
            "attributes": {
                "state": "PAID", "total": {"amount": cents, "scale": 2, "currency": "CNY"}, "placedAtNs": str(time.time_ns()),
                "shipTo": {"fullName": "Li Ming", "mobile": "13900000003", "province": "浙江省", "city": "杭州市",
                           "county": "西湖区", "street": "Tianmushan Road 1"},
            },
            "relationships": {"lines": {"data": [{"type": "line", "id": "1"}]}},
        },
        "included": [{"type": "line", "id": "1", "attributes": {
            "sku": sku, "packs": 1, "perPack": 2, "unit": {"amount": "1000", "scale": 2}}}],
    }  # fmt: skip


def push_orders(door: str, events: list[Any], *, secret: str = SECRET, spoil: bool = False) -> httpx.Response:
    """A batch, signed over time and body in one header."""
    raw, stamp = json.dumps({"events": events}, ensure_ascii=False).encode(), str(int(time.time()))
    mark = hmac.new(secret.encode(), f"{stamp}.".encode() + raw, hashlib.sha512).hexdigest()
    headers = {"X-Market": f"t={stamp},v1={mark}", "Content-Type": "application/vnd.api+json"}
    return httpx.post(door, content=raw + b" " * spoil, headers=headers, timeout=20)


def push_job(door: str, number: str, waybill: str, *, token: str = SECRET) -> httpx.Response:
    """What the warehouse tells when a job has left: a form with brackets, quantities in packs."""
    return httpx.post(
        door,
        content=job(number, waybill, token=token),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
        timeout=20,
    )


def job(number: str, waybill: str, *, token: str = "x") -> str:
    """The form it sends."""
    clock = time.strftime("%Y%m%d%H%M%S", time.gmtime(time.time() + 8 * 3600))
    return urlencode({
        "token": token, "job": number, "state": "GONE", "when": clock, "ship[carrier]": "sf", "ship[waybill]": waybill,
        "row[0][sku]": "DEMO-001", "row[0][packs]": "1", "row[0][perPack]": "2",
    })  # fmt: skip


def track(waybill: str) -> str:
    """The carrier's whole history of a parcel: XML with namespaces, times of its wall clock, words for states."""
    steps = (("Parcel collected", 60), ("Sorted at depot 7", 40), ("Handed over, signed by LI", 1))
    clock = lambda back: time.strftime("%d.%m.%Y %I:%M:%S %p", time.gmtime(time.time() + 8 * 3600 - back))  # noqa: E731
    rows = "".join(
        f'<n:Step n:lang="en"><n:Clock>{clock(back)}</n:Clock><n:Says>{said}</n:Says></n:Step>'
        for said, back in steps
    )
    return f'<n:Track xmlns:n="urn:courier"><n:Waybill><![CDATA[{waybill}]]></n:Waybill>{rows}</n:Track>'


def push_track(door: str, waybill: str, *, secret: str = SECRET) -> httpx.Response:
    """The history, signed in the address."""
    raw = track(waybill).encode()
    mark = hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()
    return httpx.post(
        door, params={"sig": mark}, content=raw, headers={"Content-Type": "application/xml"}, timeout=20
    )

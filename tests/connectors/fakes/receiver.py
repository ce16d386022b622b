"""The other side of a fake world: takes pushes on a port of its own and answers as told."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

OK_ANSWERS = {
    "qimen": b"<response><flag>success</flag><code>0</code></response>",
    "douyin": b'{"code":0,"msg":"success"}',
    "kuaidi100": b'{"result":true,"returnCode":"200"}',
    "sf": b'{"return_code":"0000"}',
}


@dataclass(frozen=True)
class Got:
    """One push as it came in."""

    vendor: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes


class Receiver:
    """Keeps what it gets; `answer` says status and body, the vendor's own success unless set."""

    def __init__(self) -> None:
        self.got: list[Got] = []
        self.answer: Callable[[Got], tuple[int, bytes]] = lambda got: (200, OK_ANSWERS.get(got.vendor, b"{}"))
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                parts = urlsplit(self.path)
                got = Got(
                    parts.path.strip("/"), dict(parse_qsl(parts.query)), {k.lower(): v for k, v in self.headers.items()},
                    self.rfile.read(int(self.headers["content-length"])),
                )  # fmt: skip
                receiver.got.append(got)
                status, body = receiver.answer(got)
                self.send_response(status)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_args: object) -> None:
                return

        class Quiet(ThreadingHTTPServer):
            def handle_error(self, *_args: object) -> None:
                """A world that is reset hangs up: nothing to tell."""

        self._server = Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/{{vendor}}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def clear(self) -> None:
        """Forget, and answer with success again."""
        self.got.clear()
        self.answer = lambda got: (200, OK_ANSWERS.get(got.vendor, b"{}"))

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

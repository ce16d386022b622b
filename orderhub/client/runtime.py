"""How the client talks: one connection pool, repeats that are safe, refusals as exceptions."""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator, Mapping, Sequence
from typing import IO, Any

import httpx

#: Answers that may be otherwise a moment later.
PASSING = frozenset({429, 502, 503, 504})
_SAFE = frozenset({"GET", "HEAD", "DELETE"})
_LONGEST_WAIT = 30.0

Value = str | int | bool | Sequence[str] | None
Query = Mapping[str, Value]
File = tuple[str, IO[bytes] | bytes]


class Problem(Exception):
    """A refusal: `code` for programs, `detail` and `remedy` for people, `errors` by field."""

    def __init__(self, status: int, body: Mapping[str, Any], headers: Mapping[str, str]) -> None:
        super().__init__(f"{status} {body.get('code', '')}: {body.get('detail', '')}".strip())
        self.status = status
        self.code = str(body.get("code", ""))
        self.title = str(body.get("title", ""))
        self.detail = str(body.get("detail", ""))
        self.remedy = str(body.get("remedy", ""))
        self.errors: list[dict[str, str]] = list(body.get("errors", ()))
        self.facts: dict[str, str] = dict(body.get("facts", {}))
        self.request_id = str(body.get("request_id") or headers.get("x-request-id", ""))
        self.etag = headers.get("etag", "")


class Transport:
    """Sends calls; repeats those that are safe to repeat when the way or the hub fails for a moment."""

    def __init__(
        self,
        base_url: str,
        api_key: str,
        *,
        language: str = "en",
        timeout: float = 30.0,
        tries: int = 4,
        first_wait: float = 0.25,
        client: httpx.Client | None = None,
    ) -> None:
        self.http = client or httpx.Client(timeout=timeout)
        self.base_url = base_url.rstrip("/")
        self.headers = {"Authorization": f"Api-Key {api_key}", "Accept-Language": language}
        self.tries, self.first_wait = tries, first_wait
        #: The ETag of the last answer, for `if_match` of the next call.
        self.etag = ""

    def close(self) -> None:
        """Give the connections back."""
        self.http.close()

    def __enter__(self) -> Transport:
        return self

    def __exit__(self, *_fault: object) -> None:
        self.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        files: list[tuple[str, File]] | None = None,
        headers: Mapping[str, str | None] | None = None,
        once: bool = False,
    ) -> Any:
        """The answer's JSON (text otherwise, None for 204 and 304); raises Problem, or httpx's own errors.

        `once`: the call carries an Idempotency-Key (one is made when none is given), so it may be repeated.
        """
        given = {name: value for name, value in (headers or {}).items() if value is not None}
        if once:
            given.setdefault("Idempotency-Key", uuid.uuid4().hex)
        url = path if path.startswith(("http://", "https://")) else self.base_url + path
        asked = {name: _said(value) for name, value in (query or {}).items() if value is not None}
        may_repeat = method in _SAFE or once
        for left in range(self.tries - 1, -1, -1):
            wait = self.first_wait * 2 ** (self.tries - 1 - left)
            try:
                answer = self.http.request(
                    method,
                    url,
                    params=asked or None,
                    headers={**self.headers, **given},
                    json=body if files is None else None,
                    data=body if files is not None else None,
                    files=files,
                )
            except httpx.TransportError:
                if not (left and may_repeat):
                    raise
            else:
                if (
                    answer.status_code not in PASSING
                    or not left
                    or not (may_repeat or answer.status_code == 429)
                ):
                    return self._read(answer)
                wait = _retry_after(answer, wait)
            time.sleep(min(wait, _LONGEST_WAIT))
        raise AssertionError("unreachable")

    def rows(self, path: str, query: Query) -> Iterator[Any]:
        """Every row of a list, page after page."""
        page = self.call("GET", path, query=query)
        while True:
            yield from page["results"]
            if not page["next"]:
                return
            page = self.call("GET", page["next"])

    def _read(self, answer: httpx.Response) -> Any:
        is_json = "json" in answer.headers.get("content-type", "")
        if answer.status_code >= 400:
            body = answer.json() if is_json else {"detail": answer.text[:500]}
            raise Problem(answer.status_code, body, answer.headers)
        self.etag = answer.headers.get("etag", "")
        if answer.status_code in (204, 304):
            return None
        return answer.json() if is_json else answer.text


def _said(value: str | int | bool | Sequence[str]) -> str | list[str]:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, str | int) else list(value)


def _retry_after(answer: httpx.Response, wait: float) -> float:
    given = answer.headers.get("retry-after", "")
    return max(wait, float(given)) if given.isdigit() else wait

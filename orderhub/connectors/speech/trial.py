"""A profile's own tests: each case is run through the same code as real messages, and the differences are told."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from orderhub.connectors.speech import answers, calls, reading, trees
from orderhub.connectors.speech.limits import Unreadable
from orderhub.connectors.speech.profile import Case, Profile
from orderhub.connectors.speech.requests import Request, lower_names

#: The moment and nonce of every case, so that what is sent can be compared.
NOW = datetime(2026, 11, 11, 1, 31, 30, tzinfo=UTC)
NONCE = "nonce-0001"
SECRET = "example-secret-0001"  # noqa: S105 - the secret of the examples
Sample = Callable[[str], bytes]


@dataclass(frozen=True, slots=True)
class Difference:
    """One place where what came out is not what was expected."""

    path: str
    expected: Any
    got: Any


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a case gave."""

    name: str
    ok: bool
    got: Any
    differences: tuple[Difference, ...]


def run_all(profile: Profile, sample: Sample | None = None) -> tuple[Outcome, ...]:
    """Every case of the profile. `sample` gives the bytes of a file named in a case."""
    return tuple(run(profile, case, sample) for case in profile.tests)


def run(profile: Profile, case: Case, sample: Sample | None = None) -> Outcome:
    """One case. Where an object is expected, fields that are not named may be there; lists must be as long."""
    makers = {"in": _came, "out": _sent, "answer": _answered, "name": _named}
    try:
        got = makers[case.kind](profile, case, sample)
    except (Unreadable, calls.CannotBuild, LookupError) as error:
        got = {"error": str(error)}
    found = tuple(differences(case.expected, got))
    return Outcome(case.name, not found, got, found)


def request_of(case: Mapping[str, Any], sample: Sample | None = None) -> Request:
    """The request a case describes: method, headers, query, and a body (text or tree) or the name of a file."""
    if "file" in case:
        if sample is None:
            raise LookupError(f"no sample {case['file']}")
        body = sample(str(case["file"]))
    else:
        given = case.get("body", "")
        body = given.encode() if isinstance(given, str) else trees.json_text(given).encode()
    query = tuple((str(k), str(v)) for k, v in dict(case.get("query", {})).items())
    headers = lower_names({str(k): str(v) for k, v in dict(case.get("headers", {})).items()})
    way = str(case.get("door", ""))
    return Request(str(case.get("method", "POST")), "", "/", query, headers, body, way)


def _came(profile: Profile, case: Case, sample: Sample | None) -> Any:
    request = request_of(case.request, sample)
    if case.map and profile.door is None and not request.door:
        tree = trees.read(request.body, "auto")
        return [_told(reading.understand(profile, case.map, tree, _config(profile, case)))]
    if case.map and case.request.get("fetched"):
        tree = trees.read(request.body, str(case.request.get("form", "json")))
        return [_told(reading.understand(profile, case.map, tree, _config(profile, case)))]
    return [_told(part) for part in reading.parts(profile, request, _config(profile, case))]


def _named(profile: Profile, case: Case, _sample: Sample | None) -> Any:
    way = profile.ways[str(case.request.get("door", ""))]
    return {"wanted": way.wants(str(case.request.get("name", "")))}


def _told(part: reading.Part) -> dict[str, Any]:
    told: dict[str, Any] = {
        "key": part.key,
        "became": part.became,
        "means": part.means,
        "version": part.version,
    }
    if part.became == "mapped":
        told["value"] = part.value
    told["faults"] = [{"field": f.field, "code": f.code, "value": f.value} for f in part.faults]
    told["unknown"] = [list(pair) for pair in part.unknown]
    return told


def _sent(profile: Profile, case: Case, _sample: Sample | None) -> Any:
    call = calls.build(profile, case.operation, case.message, _config(profile, case), SECRET, NOW, NONCE)
    parts = urlsplit(call.url)
    form = profile.operations[case.operation].form.partition("+")[0]
    told: dict[str, Any] = {
        "method": call.method,
        "url": call.url.partition("?")[0],
        "query": dict(parse_qsl(parts.query, keep_blank_values=True)),
        "headers": dict(call.headers),
        "text": call.body.decode(),
    }
    if call.body:
        told["body"] = trees.plain(trees.read(call.body, {"form": "form", "xml": "xml"}.get(form, "json")))
    return told


def _answered(profile: Profile, case: Case, sample: Sample | None) -> Any:
    given = request_of(case.answer, sample)
    spec = profile.operations[case.operation]
    answer = answers.judge(spec.ack, int(case.answer.get("status", 200)), given.headers, given.body, now=NOW)
    told: dict[str, Any] = {
        "means": answer.means,
        "reference": answer.reference,
        "message": answer.message,
        "retry_after_s": answer.retry_after_s,
    }
    if spec.map and answer.means == "acked":
        told["parts"] = [
            _told(part)
            for part in reading.answered(profile, case.operation, answer.tree, _config(profile, case))
        ]
    return told


def differences(expected: Any, got: Any, path: str = "") -> list[Difference]:
    """Where `got` is not as expected; names that are not expected may be there."""
    if isinstance(expected, Mapping) and isinstance(got, Mapping):
        found = []
        for name, value in expected.items():
            found += differences(value, got.get(name), f"{path}.{name}" if path else str(name))
        return found
    if isinstance(expected, list) and isinstance(got, list):
        if len(expected) != len(got):
            return [Difference(f"{path}[]", len(expected), len(got))]
        found = []
        for at, (one, other) in enumerate(zip(expected, got, strict=True)):
            found += differences(one, other, f"{path}[{at}]")
        return found
    if type(expected) is not type(got) or expected != got:
        return [Difference(path, expected, got)]
    return []


def show(value: Any) -> str:
    """A value for people, as JSON."""
    return json.dumps(trees.plain(value), ensure_ascii=False, indent=1)


def _config(profile: Profile, case: Case) -> dict[str, Any]:
    """What is entered in a case, and what the profile says where nothing is."""
    return {**profile.defaults, **case.config}

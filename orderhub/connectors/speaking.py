"""Calls to systems that are described by a profile: paced, sent side by side, judged by what the answer says.

A call is a row before it is sent, so that one whose answer never came is asked for before it is sent again.
"""

from __future__ import annotations

import contextlib
import json
import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import httpx
from django.conf import settings
from django.db import transaction

from orderhub.access import limits
from orderhub.connectors import keeping, net, secretbox, settling, shelf
from orderhub.connectors.base import Push
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.settling import CUT, After, Spoken
from orderhub.connectors.speech import answers, calls, mapping
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.events import breaker, rows
from orderhub.events.registry import GiveUp, Later
from orderhub.kernel import secrets

State = Call.State
#: The secret that signatures are made and checked with; profiles ask for others by names of their own.
SECRET_NAME = "secret"  # noqa: S105 - a name
#: So many calls to one system are under way at once; each is about another order.
SIDE_BY_SIDE = 8
#: After so many in a row that found nobody, or nobody who could work, the rest of a batch is not tried.
PATIENCE = breaker.OUTAGE_FAILURES
#: How long a second call of one message (a question, a token) waits for its turn.
TURN_SECONDS = 10.0
#: HTTP's word for a token that is taken no more.
_NOT_KNOWN = 401

_clients: dict[tuple[int, bool], httpx.Client] = {}
_lock = threading.Lock()


class Needless(Exception):
    """What was asked for first shows that they have no use for the message."""


def send(
    connection: Connection, pushes: Sequence[Push], *, after: After, now: datetime
) -> dict[str, Exception]:
    """Send these messages, each about another thing; what failed by key.

    `Later` for those the system has no room for yet, GiveUp for those it refuses or that cannot be built. Two
    statements before the calls and two after, whatever their number.
    """
    spec = shelf.spec_of(connection)
    known = _rows(connection, pushes, now=now)
    failures: dict[str, Exception] = {}
    going: list[Spoken] = []
    wait = 0.0
    for push in pushes:
        call = known[push.key]
        if call.state in settling.SAID:
            continue
        # Once the system takes no more, nobody asks again for the rest of the batch.
        wait = wait or _wait(connection, spec)
        if wait:
            failures[push.key] = Later(wait)
        else:
            going.append(Spoken(push, call))
    if going:
        _mark([spoken.call for spoken in going], now=now)
        _get_ready(connection, spec, {spoken.push.operation for spoken in going}, now=now)
        _converse_all(connection, spec, going, now=now)
        failures |= settling.settle(connection, going, after=after)
    return failures


def try_once(
    connection: Connection, operation: str, message: Mapping[str, Any], *, now: datetime
) -> tuple[answers.Answer, net.Answered]:
    """Make one call whose answer is wanted at once, kept nowhere: polling, fetching, the button Test.

    Raises KeyError for an operation the profile has not, `calls.CannotBuild`, net.Forbidden, net.NotSent, net.NoAnswer.
    """
    spec = shelf.spec_of(connection)
    answered = _exchange(connection, spec, operation, message, now=now, may_write=True)
    endpoint = spec.operations[operation]
    judged = answers.judge(endpoint.ack, answered.status, answered.headers, answered.body, now=now)
    return judged, answered


def message_of(push: Push, call: Call) -> dict[str, Any]:
    """What is said: as a person corrected it, else as the hub has it."""
    if call.sealed_edit:
        found: dict[str, Any] = json.loads(secrets.unseal(call.sealed_edit, keys=settings.SECRET_KEYS))
        return found
    return {"key": push.key, "operation": push.operation, "reference": push.reference, **push.body}


def config_of(connection: Connection) -> dict[str, Any]:
    """What was entered for the connection, and what its profile says where nothing was; without secrets."""
    usual = {ask.name: ask.default for ask in shelf.spec_of(connection).asks if ask.default}
    entered = {name: value for name, value in connection.config.items() if value not in ("", None)}
    return {**usual, **entered, "connection": connection.code}


def wait_for(connection: Connection) -> float:
    """Take one call of the connection's pace; the seconds to wait before it is made."""
    return _wait(connection, shelf.spec_of(connection))


# ---- before ---------------------------------------------------------------------------------------


def _rows(connection: Connection, pushes: Sequence[Push], *, now: datetime) -> dict[str, Call]:
    keys = [push.key for push in pushes]
    found = {call.key: call for call in Call.objects.filter(connection=connection, key__in=keys)}
    fresh = [
        Call(
            connection=connection, merchant_id=connection.merchant_id, key=push.key, operation=push.operation,
            reference=push.reference[:80], order_id=push.order_id, cause=push.cause, created_at=now,
        )
        for push in pushes
        if push.key not in found
    ]  # fmt: skip
    with transaction.atomic():
        rows.insert(fresh)
    return found | {call.key: call for call in fresh}


def _wait(connection: Connection, spec: Spec) -> float:
    """Seconds until the system takes another call; 0 if it does now."""
    rate = float(connection.calls_per_second or spec.rate.per_second)
    burst = max(1, int(rate)) if connection.calls_per_second else spec.rate.burst
    verdict = limits.take(f"calls:{connection.pk}", rate=rate, burst=burst)
    return 0.0 if verdict.passes else min(max(verdict.wait_seconds, 1 / rate), 60.0)


def _mark(going: Sequence[Call], *, now: datetime) -> None:
    """Noted as being sent before anything is: whoever finds it so later asks whether it arrived."""
    for call in going:
        call.state_before = call.state
        call.was_sent = call.state in (State.SENDING, State.UNKNOWN)
        call.state, call.attempts, call.sent_at = State.SENDING.value, call.attempts + 1, now
    rows.save(going, ["state", "attempts", "sent_at"])


def _get_ready(connection: Connection, spec: Spec, operations: set[str], *, now: datetime) -> None:
    """Ask for what calls take along (a token) before they go side by side; a failure is met again, and told, by each call."""
    for name in sorted(operations & set(spec.operations)):
        for step in spec.operations[name].prepare:
            if step.keep_s or step.keep_for:
                with contextlib.suppress(net.NotSent, net.NoAnswer, net.Forbidden, calls.CannotBuild):
                    _taken(_Asking(connection, spec, now, None, True), step, {})


# ---- the calls, without any database --------------------------------------------------------------


def _converse_all(connection: Connection, spec: Spec, going: Sequence[Spoken], *, now: datetime) -> None:
    tried = _Tried()

    def one(spoken: Spoken) -> None:
        if tried.in_vain >= PATIENCE:
            spoken.is_left = True
            return
        _converse(connection, spec, spoken, now=now)
        tried.note(spoken)

    if len(going) == 1:
        one(going[0])
        return
    with ThreadPoolExecutor(max_workers=min(SIDE_BY_SIDE, len(going))) as pool:
        list(pool.map(one, going))


class _Tried:
    """How many calls in a row found nobody who could work; counted by several threads."""

    def __init__(self) -> None:
        self.in_vain = 0
        self._lock = threading.Lock()

    def note(self, spoken: Spoken) -> None:
        """Count what came of a call; a message that cannot be built says nothing about the other side."""
        if isinstance(spoken.failure, GiveUp):
            return
        with self._lock:
            answered = spoken.answer is not None and spoken.answer.means != "retry"
            self.in_vain = 0 if answered else self.in_vain + 1


def _converse(connection: Connection, spec: Spec, spoken: Spoken, *, now: datetime) -> None:
    """Fill in what came of one call; never raises."""
    try:
        endpoint = spec.operations[spoken.push.operation]
        message = message_of(spoken.push, spoken.call)
        if (
            spoken.call.was_sent
            and endpoint.query_first
            and _has_arrived(connection, spec, spoken, message, now)
        ):
            return
        answered = _exchange(connection, spec, endpoint.name, message, now=now, spoken=spoken)
        spoken.answer = answers.judge(endpoint.ack, answered.status, answered.headers, answered.body, now=now)
        spoken.status, spoken.milliseconds = answered.status, answered.milliseconds
        spoken.text = answered.body[: CUT * 4].decode("utf-8", "replace")[:CUT]
    except Needless as fault:
        # Told to nobody, since nobody is there to be wrong.
        spoken.is_needless, spoken.answer = True, answers.Answer("acked", message=str(fault))
    except KeyError:
        spoken.failure = GiveUp(f"its profile has no operation {spoken.push.operation}")
    except (calls.CannotBuild, net.Forbidden) as fault:
        spoken.failure = GiveUp(str(fault))
    except Exception as fault:  # NotSent, NoAnswer and whatever else: kept on the row and tried again
        spoken.failure = fault


def _has_arrived(
    connection: Connection, spec: Spec, spoken: Spoken, message: Mapping[str, Any], now: datetime
) -> bool:
    """Whether a call whose answer never came had arrived, by the system's own word."""
    endpoint = spec.operations[spoken.push.operation]
    query = spec.operations[endpoint.query_first]
    answered = _exchange(connection, spec, query.name, message, now=now, spoken=spoken)
    judged = answers.judge(query.ack, answered.status, answered.headers, answered.body, now=now)
    if judged.means != "acked":
        if judged.means == "refused":  # it does not know it
            return False
        raise net.NotSent(f"cannot ask whether it arrived: {judged.message}")
    if endpoint.exists is not None and not answers.said(endpoint.exists, mapping.scope(judged.tree, {})):
        return False
    spoken.answer, spoken.status, spoken.milliseconds = judged, answered.status, answered.milliseconds
    spoken.text = answered.body[: CUT * 4].decode("utf-8", "replace")[:CUT]
    return True


def _exchange(
    connection: Connection,
    spec: Spec,
    operation: str,
    message: Mapping[str, Any],
    *,
    now: datetime,
    spoken: Spoken | None = None,
    may_write: bool = False,
) -> net.Answered:
    """One call with what is asked before it; where a kept token is taken no more, once again with a new one."""
    asking = _Asking(connection, spec, now, spoken, may_write)
    kept = [step for step in spec.operations[operation].prepare if step.keep_s or step.keep_for]
    answered = _once(asking, operation, message)
    if answered.status == _NOT_KNOWN and kept:
        for step in kept:
            keeping.forget(connection, step)
        answered = _once(asking, operation, message)
    return answered


@dataclass(frozen=True, slots=True)
class _Asking:
    """Who is asked, on behalf of which call, and whether secrets that run out may be replaced meanwhile."""

    connection: Connection
    spec: Spec
    now: datetime
    spoken: Spoken | None
    may_write: bool


def _once(asking: _Asking, operation: str, message: Mapping[str, Any]) -> net.Answered:
    connection, spec, now, spoken = asking.connection, asking.spec, asking.now, asking.spoken
    # Other secrets than the one that signs (tokens, passwords) are read by the maps of calls, and of calls only.
    config = config_of(connection) | {name: secretbox.current(connection, name) for name in spec.secrets}
    for step in spec.operations[operation].prepare:
        # Another operation is asked first, a token for example; what it answers goes into the message.
        message = {**message, **_taken(asking, step, message)}
    only_if = spec.operations[operation].only_if
    if only_if is not None and not answers.said(only_if, dict(message)):
        raise Needless("they do not have it")
    config |= {name: secretbox.current(connection, name) for name in spec.secrets}
    secret, *before = secretbox.valid(connection, SECRET_NAME, now=now) or [""]
    call = calls.build(spec, operation, message, config, secret, now, uuid.uuid4().hex, secrets_before=before)
    if spoken is not None:
        if spoken.is_begun:
            _wait_turn(connection, spec)
        spoken.is_begun = True
    return net.send(
        _client(connection), call.method, call.url, headers=call.headers, body=call.body,
        allows_plain=connection.allows_private or settings.DEBUG,
    )  # fmt: skip


def _wait_turn(connection: Connection, spec: Spec) -> None:
    """Wait until the system takes one more call, 10 s at most; NotSent if it does not."""
    left = TURN_SECONDS
    while wait := _wait(connection, spec):
        if wait > left:
            raise net.NotSent("it takes no more calls just now")
        left -= wait
        time.sleep(wait)


def _taken(asking: _Asking, step: calls.Prepare, message: Mapping[str, Any]) -> dict[str, Any]:
    """What a call takes of the operation before it, kept or asked for. Raises NotSent where that is refused."""

    def ask() -> tuple[dict[str, Any], int]:
        first = _exchange(
            asking.connection, asking.spec, step.operation, message, now=asking.now, spoken=asking.spoken
        )
        ack = asking.spec.operations[step.operation].ack
        judged = answers.judge(ack, first.status, first.headers, first.body, now=asking.now)
        if judged.means != "acked":
            raise net.NotSent(f"{step.operation}: {judged.message or judged.means}")
        return step.taken(judged.tree, first.headers), step.kept_s(judged.tree, first.headers)

    if step.keep_s or step.keep_for:
        return keeping.taken(asking.connection, step, ask, may_write=asking.may_write)
    return ask()[0]


def _client(connection: Connection) -> httpx.Client:
    allows = connection.allows_private or settings.DEBUG
    with _lock:
        found = _clients.get((connection.pk, allows))
        if found is None:
            found = _clients[connection.pk, allows] = net.client(
                allows_private=allows, connections=SIDE_BY_SIDE
            )
    return found


def forget_clients() -> None:
    """Close the connections that are kept open; for tests, and before a process forks."""
    with _lock:
        for client in _clients.values():
            client.close()
        _clients.clear()

"""What came of calls, written down: on their rows, in the connection's figures, and as the failure of a delivery."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db import transaction

from orderhub.connectors import net, switching, traffic
from orderhub.connectors.base import Push
from orderhub.connectors.models import Call, Connection
from orderhub.connectors.speech import answers
from orderhub.events import rows
from orderhub.events.registry import Busy, GiveUp, Later
from orderhub.kernel import clock

State = Call.State
#: Refusals of these are an answer that the hub acts on, not a message for a person to mend.
ANSWERED_BY_REFUSAL = frozenset({"cancel", "intercept"})
_FETCHES = frozenset({"fetch_order", "list_orders", "query_stock"})
#: Nothing is sent any more: settled, or the answer comes as a message.
SAID = (State.ACKED, State.SKIPPED, State.LATER)
CUT = 1000


class Refusal(GiveUp):
    """The other system said no, in its own words."""


@dataclass(slots=True)
class Spoken:
    """One call with what came of it: the answer, how long it took, and what failed if there was none."""

    push: Push
    call: Call
    answer: answers.Answer | None = None
    failure: Exception | None = None
    status: int | None = None
    milliseconds: int = 0
    text: str = ""
    #: Not tried: those before it found nobody there.
    is_left: bool = False
    #: The one call it was let through for is made; questions and tokens besides wait for their own turn.
    is_begun: bool = False
    #: They need not hear of it.
    is_needless: bool = False


#: What the hub does about answers, in the transaction that notes them: by operation, for the calls of one connection.
After = Callable[[Connection, Sequence[Spoken], datetime], None]


def settle(connection: Connection, going: Sequence[Spoken], *, after: After) -> dict[str, Exception]:
    """Note every outcome and what follows from it, in one transaction; what failed by key."""
    failures = {spoken.push.key: fault for spoken in going if (fault := _noted(spoken)) is not None}
    tried = [spoken for spoken in going if not spoken.is_left]
    moment = clock.now()
    with transaction.atomic():
        rows.save(
            [spoken.call for spoken in going],
            ["state", "attempts", "status_code", "answer", "their_reference", "milliseconds", "answered_at"],
        )
        answered = [spoken for spoken in tried if spoken.answer is not None]
        after(connection, answered, moment)
        if any(spoken.answer.means == "gone" for spoken in answered if spoken.answer is not None):
            switching.off_by_them(connection, now=moment)
        _count(connection, tried, moment)
    return failures


def _noted(spoken: Spoken) -> Exception | None:
    """Write the outcome on the row; the failure of the delivery, None if it is done with."""
    call, answer, failure = spoken.call, spoken.answer, spoken.failure
    if spoken.is_left:
        call.state, call.attempts = call.state_before, call.attempts - 1
        return Later(0)
    if spoken.is_needless:
        call.state, call.answer, call.answered_at = (
            State.SKIPPED.value,
            answer.message if answer else "",
            clock.now(),
        )
        return None
    call.status_code, call.milliseconds = spoken.status, spoken.milliseconds or None
    if answer is None:
        call.state = (State.DEAD if isinstance(failure, GiveUp) else _unanswered(call, failure)).value
        call.answer = f"{type(failure).__name__}: {failure}"[:CUT]
        return failure
    call.answered_at = clock.now()
    # What a fetch brought names receivers; it goes the way of all messages and is not kept here too.
    call.answer = answer.message or ("" if call.operation in _FETCHES else spoken.text)
    if answer.means == "acked":
        call.state, call.their_reference = State.ACKED.value, answer.reference[:120]
        return None
    if answer.means == "later":
        call.state, call.their_reference = State.LATER.value, answer.reference[:120]
        return None
    if answer.means in ("refused", "gone"):
        call.state = State.REFUSED.value
        return None if call.operation in ANSWERED_BY_REFUSAL else Refusal(answer.message or answer.means)
    if answer.means == "unknown":
        call.state = State.UNKNOWN.value
        return net.NoAnswer(answer.message)
    call.state = State.FAILED.value
    if answer.retry_after_s:
        return Busy(answer.message, answer.retry_after_s)
    return net.NotSent(answer.message)


def _unanswered(call: Call, failure: Exception | None) -> State:
    """What is known of it: nothing was taken, or nobody knows; an earlier try that nobody knows of stays unknown."""
    return State.FAILED if isinstance(failure, net.NotSent) and not call.was_sent else State.UNKNOWN


def _count(connection: Connection, going: Sequence[Spoken], now: datetime) -> None:
    states = [spoken.call.state for spoken in going]
    times = [spoken.milliseconds for spoken in going if spoken.answer is not None]
    traffic.count(
        connection.pk, now=now, sent=len(going), acked=states.count(State.ACKED),
        refused=states.count(State.REFUSED) + states.count(State.DEAD),
        failed=states.count(State.FAILED) + states.count(State.UNKNOWN), milliseconds=sum(times),
        slowest_ms=max(times, default=0),
    )  # fmt: skip
    faults = [spoken.call.answer for spoken in going if spoken.call.state not in SAID]
    if faults:
        Connection.objects.filter(pk=connection.pk).update(last_error=faults[-1][:300], last_error_at=now)

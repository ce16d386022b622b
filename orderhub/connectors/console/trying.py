"""The button Test: the profile's own cases, then one harmless question to the real system, told in words."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils.translation import gettext as _

from orderhub.connectors import net, secretbox, shelf, speaking
from orderhub.connectors.console import way_trying
from orderhub.connectors.console.connect_forms import asks_of
from orderhub.connectors.models import Connection
from orderhub.connectors.speech import calls, trial
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.inventory.admin_base import is_chinese

#: Questions that change nothing on the other side, the best first.
HARMLESS = ("ping", "token", "list_orders", "query_stock")


@dataclass(frozen=True, slots=True)
class Said:
    """One line of the result: ok, warn or bad, and a sentence."""

    tone: str
    text: str


def test(connection: Connection, *, now: datetime) -> list[Said]:
    """Try the connection; calls the other system at most once, outside any transaction."""
    try:
        spec = shelf.spec_of(connection)
    except KeyError:
        return [Said("bad", _("Its profile has no version in force: put one in force first."))]
    said = [*_cases(spec), *_settings(connection, spec)]
    if all(one.tone != "bad" for one in said):
        said += [Said(tone, text) for tone, text in way_trying.probe(connection, spec)]
        if not spec.ways or _has_question(spec):
            said.append(_question(connection, spec, now=now))
    if all(one.tone != "bad" for one in said):
        Connection.objects.filter(pk=connection.pk).update(tested_at=now)
    return said


def _cases(spec: Spec) -> list[Said]:
    outcomes = trial.run_all(spec)
    failed = [one.name for one in outcomes if not one.ok]
    if failed:
        text = _("Tests of the profile that fail: %(names)s. Correct the profile.") % {
            "names": ", ".join(failed)
        }
        return [Said("bad", text)]
    return [Said("ok", _("All %(count)d tests of the profile pass.") % {"count": len(outcomes)})]


def _settings(connection: Connection, spec: Spec) -> list[Said]:
    missing = [
        ask.zh if is_chinese() else ask.en
        for ask in asks_of(spec)
        if ask.required and not _has(connection, ask.name, is_secret=ask.kind == "secret")
    ]
    if missing:
        return [Said("bad", _("Not entered yet: %(names)s.") % {"names": ", ".join(missing)})]
    if (
        spec.door is not None
        and spec.door.signature
        and not secretbox.current(connection, speaking.SECRET_NAME)
    ):
        return [Said("bad", _("Its pushes are signed, and no secret is entered to check them with."))]
    if spec.door is not None and not spec.door.signature:
        return [
            Said(
                "warn",
                _("This system does not sign what it sends: keep the address of the door to yourselves."),
            )
        ]
    return []


def _has(connection: Connection, name: str, *, is_secret: bool) -> bool:
    return bool(secretbox.current(connection, name) if is_secret else connection.config.get(name))


def _has_question(spec: Spec) -> bool:
    return any(one in spec.operations for one in HARMLESS)


def _question(connection: Connection, spec: Spec, *, now: datetime) -> Said:
    name = next((one for one in HARMLESS if one in spec.operations), "")
    if not name:
        if spec.door is not None:
            return Said(
                "warn",
                _("It cannot be asked anything: have it send a message to the door, and look here again."),
            )
        return Said("warn", _("There is no harmless question to ask it: the first real message is the test."))
    message: dict[str, Any] = {
        "since": (now - timedelta(minutes=10)).isoformat(), "until": now.isoformat(), "page": 1, "items": [],
    }  # fmt: skip
    try:
        answer, answered = speaking.try_once(connection, name, message, now=now)
    except net.Forbidden as fault:
        return Said("bad", _("The address may not be called: %(why)s") % {"why": fault})
    except net.NotSent as fault:
        return Said(
            "bad",
            _("No connection: %(why)s. Check the address, and whether the system is up.") % {"why": fault},
        )
    except net.NoAnswer as fault:
        return Said("bad", _("It took the question and gave no answer: %(why)s") % {"why": fault})
    except calls.CannotBuild as fault:
        return Said("bad", _("The question cannot be built: %(why)s") % {"why": fault})
    facts = {"ms": answered.milliseconds, "status": answered.status, "words": answer.message[:160] or "–"}
    if answer.means == "acked":
        return Said("ok", _("It answered after %(ms)d ms and says yes.") % facts)
    if answer.means in ("refused", "gone"):
        return Said(
            "bad",
            _("It answered and says no (HTTP %(status)d): %(words)s. Check key, secret and rights.") % facts,
        )
    if answer.means == "retry":
        return Said("bad", _("It answered, but not now (HTTP %(status)d): %(words)s.") % facts)
    return Said("bad", _("It answered something nobody can read (HTTP %(status)d).") % facts)

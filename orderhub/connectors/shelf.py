"""Profiles in use: documents read once a version, drafts put in force after their tests, shipped ones brought up to date."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from django.db import transaction
from django.utils.translation import gettext_lazy as _

from orderhub.access.models import Merchant
from orderhub.connectors.models import Connection, Profile, ProfileVersion
from orderhub.connectors.speech import trial
from orderhub.connectors.speech.profile import Profile as Spec
from orderhub.events import log
from orderhub.kernel import canonical
from orderhub.kernel.errors import Refused

FOLDER = Path(__file__).parent / "profiles"
_MOST_KEPT = 500
_specs: dict[str, Spec] = {}
_lock = threading.Lock()


def spec_of(connection: Connection) -> Spec:
    """What the connection speaks, by the version in force; raises KeyError where it has no profile in force."""
    version = connection.profile.in_force if connection.profile is not None else None
    if version is None:
        raise KeyError(f"{connection.code} has no profile in force")
    return spec(version)


def spec(version: ProfileVersion) -> Spec:
    """The parsed document of a version; a version never changes, so it is parsed once a process."""
    known = _specs.get(version.digest)
    if known is None:
        known = Spec.parse(version.document)
        with _lock:
            if len(_specs) >= _MOST_KEPT:
                _specs.clear()
            _specs[version.digest] = known
    return known


@transaction.atomic
def save_draft(profile: Profile, document: Mapping[str, Any], *, now: datetime) -> None:
    """Keep a document that is being worked on; it may be faulty."""
    profile.draft, profile.changed_at = dict(document), now
    profile.save(update_fields=["draft", "changed_at"])


def put_in_force(
    profile: Profile, document: Mapping[str, Any], *, note: str, actor: str, now: datetime
) -> ProfileVersion:
    """Make the document the profile's next version, for all its connections at once.

    Raises `speech.profile.Faulty` for a document that cannot be read, Refused("tests_failed") unless it has tests and
    every one passes.
    """
    parsed = Spec.parse(document)
    outcomes = trial.run_all(parsed)
    failed = [outcome.name for outcome in outcomes if not outcome.ok]
    if failed or not outcomes:
        raise Refused(
            "tests_failed",
            _("Not put in force: %(number)s of its tests fail.") % {"number": len(failed)}
            if failed
            else _("Not put in force: it has no test."),
            remedy=_("Correct the maps, or the expected result, until each test passes."),
            status=422, facts={"tests": failed},
        )  # fmt: skip
    with transaction.atomic():
        locked = Profile.objects.select_for_update().get(pk=profile.pk)
        last = locked.versions.order_by("-number").first()
        version = ProfileVersion.objects.create(
            profile=locked, number=last.number + 1 if last else 1, document=dict(document),
            digest=canonical.digest(dict(document)), tests_passed=len(outcomes), note=note[:200],
            created_by=actor[:80], created_at=now,
        )  # fmt: skip
        locked.in_force, locked.draft, locked.changed_at = version, {}, now
        locked.save(update_fields=["in_force", "draft", "changed_at"])
        fact = log.Fact(
            f"profile:{locked.pk}", "profile.published", {"profile": locked.code, "version": version.number},
            locked.merchant_id,
        )  # fmt: skip
        log.record([fact], now=now, actor=actor)
    profile.in_force = version
    return version


def go_back(profile: Profile, number: int, *, actor: str, now: datetime) -> ProfileVersion:
    """Put an earlier version in force again, as a new one that says so."""
    earlier = profile.versions.get(number=number)
    return put_in_force(profile, earlier.document, note=f"= v{number}", actor=actor, now=now)


def copy_for(profile: Profile, merchant: Merchant | None, *, code: str, name: str, now: datetime) -> Profile:
    """A profile of one's own that begins as a copy: its draft is the document in force."""
    document = profile.in_force.document if profile.in_force is not None else {}
    return Profile.objects.create(
        merchant=merchant, code=code, name=name, name_en=profile.name_en, role=profile.role,
        draft={**document, "code": code, "zh": name}, changed_at=now,
    )  # fmt: skip


def load_shipped(*, now: datetime, actor: str = "system") -> int:
    """Bring the profiles that come with OrderHub up to date; how many changed. Copies of merchants are left alone."""
    changed = 0
    for path in sorted(FOLDER.glob("*/profile.json")):
        document = with_samples(json.loads(path.read_text(encoding="utf-8")), path.parent)
        profile, _created = Profile.objects.get_or_create(
            merchant=None, code=document["code"],
            defaults={"name": document["zh"], "name_en": document["en"], "role": document["role"], "is_shipped": True},
        )  # fmt: skip
        digest = canonical.digest(document)
        if profile.versions.filter(digest=digest).exists():
            continue
        profile.name, profile.name_en, profile.role = document["zh"], document["en"], document["role"]
        profile.save(update_fields=["name", "name_en", "role"])
        put_in_force(profile, document, note="shipped", actor=actor, now=now)
        changed += 1
    return changed


def with_samples(document: dict[str, Any], folder: Path) -> dict[str, Any]:
    """The document with the files its tests name put in as text, so that a row of the database has all of it."""
    for test in document.get("tests", []):
        for part in (test.get("request", {}), test.get("answer", {})):
            if "file" in part:
                part["body"] = (folder / "samples" / part.pop("file")).read_bytes().decode("utf-8")
    return document

"""Drawings from draft to force: saved under a lock, checked, published as versions that never change, taken back."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.contrib.auth.base_user import AbstractBaseUser
from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.db.models.functions import Coalesce
from django.utils import timezone

from rules import vocabulary
from rules.engine import RuleError, Vocabulary
from rules.flows import checking
from rules.flows.checking import Branch, Finding
from rules.flows.graph import DECIDE, Graph, Node, read
from rules.models import Flow, FlowVersion

logger = logging.getLogger(__name__)

PURPOSE = "flow"
_CACHED = 200
_read: dict[str, Drawn] = {}


class Stale(Exception):
    """Somebody else saved the drawing meanwhile; `revision` is what it stands at now."""

    def __init__(self, revision: int) -> None:
        super().__init__(f"the drawing is at revision {revision}")
        self.revision = revision


class Faulty(Exception):
    """The drawing has errors; nothing was written."""

    def __init__(self, findings: list[Finding]) -> None:
        super().__init__("; ".join(finding.en for finding in findings))
        self.findings = findings


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawing ready to be walked: its graph, and the branches of its decisions by node."""

    graph: Graph
    branches: Mapping[str, list[Branch]]


def check(flow: Flow, content: object | None = None) -> list[Finding]:
    """What there is to say of a drawing, of the flow's draft if none is given; RuleError if it has no readable form."""
    graph = read(flow.draft if content is None else content)
    return checking.findings(graph, vocabulary.words(PURPOSE, flow.scope), scope=flow.scope)


@transaction.atomic
def save_draft(flow: Flow, content: Any, *, revision: int) -> Flow:
    """Keep a drawing, faulty or not; Stale if it was saved since `revision`, RuleError if it has no readable form."""
    read(content)
    locked = Flow.objects.select_for_update().get(pk=flow.pk)
    if locked.revision != revision:
        raise Stale(locked.revision)
    if locked.draft != content:
        locked.draft, locked.revision = content, revision + 1
        locked.save(update_fields=["draft", "revision"])
    return locked


@transaction.atomic
def publish(
    flow: Flow,
    actor: AbstractBaseUser | None,
    note: str = "",
    *,
    revision: int | None = None,
    now: datetime | None = None,
    effective_at: datetime | None = None,
) -> FlowVersion:
    """Publish the draft, at once or from `effective_at`; the newest version if it says the same already.

    Raises Faulty where the checks find an error, and Stale if the draft is no longer at `revision`.
    """
    locked = Flow.objects.select_for_update().get(pk=flow.pk)
    if revision is not None and locked.revision != revision:
        raise Stale(locked.revision)
    return _append(locked, locked.draft, actor, note, now=now, effective_at=effective_at)


@transaction.atomic
def roll_back(
    flow: Flow, number: int, actor: AbstractBaseUser | None, note: str = "", *, now: datetime | None = None
) -> FlowVersion:
    """Publish an older version's drawing again, as a new one; FlowVersion.DoesNotExist, or Faulty where it no longer
    passes the checks.
    """
    locked = Flow.objects.select_for_update().get(pk=flow.pk)
    content = locked.versions.get(number=number).content
    return _append(locked, content, actor, note, now=now, effective_at=None)


def withdraw(version: FlowVersion, *, now: datetime | None = None) -> bool:
    """Take back a version before its time has come; whether it was. One that was in force stays."""
    moment = now or timezone.now()
    waiting = FlowVersion.objects.filter(pk=version.pk, effective_at__gt=moment, withdrawn_at__isnull=True)
    return bool(waiting.update(withdrawn_at=moment))


def begun(versions: QuerySet[FlowVersion], *, now: datetime) -> QuerySet[FlowVersion]:
    """Those whose time has come, the one in force first."""
    has_begun = Q(effective_at__isnull=True) | Q(effective_at__lte=now)
    rows = versions.filter(has_begun, withdrawn_at__isnull=True)
    return rows.order_by(Coalesce("effective_at", "published_at").desc(), F("number").desc(), F("pk").desc())


def version_in_force(flow: Flow, *, now: datetime | None = None) -> FlowVersion | None:
    """The version of one flow that counts, if the flow is active."""
    return begun(flow.versions.all(), now=now or timezone.now()).first() if flow.is_active else None


def in_force(scope: str, *, now: datetime) -> FlowVersion | None:
    """The version by which new orders of a scope go: of its own flows before those for all merchants, of several the one
    that came into force last; without its content. One query, none of whose rows is in force by is_active=False.
    """
    rows = FlowVersion.objects.filter(flow__scope__in={"", scope}, flow__is_active=True)
    found = begun(rows, now=now).select_related("flow").defer("content", "note")
    return found.order_by(
        F("flow__scope").desc(),
        Coalesce("effective_at", "published_at").desc(),
        F("number").desc(),
        F("pk").desc(),
    ).first()


def drawn_many(version_ids: Collection[int]) -> dict[int, Drawn]:
    """The drawings of these versions; one query, another for those this process has not met."""
    if not version_ids:
        return {}
    if len(_read) >= _CACHED:
        _read.clear()
    digests = dict(FlowVersion.objects.filter(pk__in=version_ids).values_list("pk", "digest"))
    missing = [pk for pk, digest in digests.items() if digest not in _read]
    if missing:
        rows = FlowVersion.objects.filter(pk__in=missing)
        _meet(rows.values_list("digest", "content", "flow__scope"))
    return {pk: _read[digest] for pk, digest in digests.items()}


def drawn(content: object, scope: str) -> Drawn:
    """A drawing of a scope ready to be walked; RuleError if it has no readable form.

    A branch that says what nobody teaches any more holds for no order: those go on by “otherwise”.
    """
    graph = read(content)
    decisions = [node for node in graph.nodes.values() if node.step == DECIDE]
    said = {"rules": [raw for node in decisions for raw in _raw(node) if isinstance(raw, dict)]}
    words = vocabulary.words_for(PURPOSE, scope, said)
    return Drawn(graph, {node.id: _sound(node, words) for node in decisions})


def _append(
    flow: Flow,
    content: Any,
    actor: AbstractBaseUser | None,
    note: str,
    *,
    now: datetime | None,
    effective_at: datetime | None,
) -> FlowVersion:
    errors = [x for x in check(flow, content) if x.level == "error"]
    if errors:
        raise Faulty(errors)
    newest = flow.versions.order_by("-number").first()
    is_same = newest is not None and (newest.content, newest.effective_at) == (content, effective_at)
    if newest is not None and is_same and newest.withdrawn_at is None:
        return newest
    text = json.dumps([flow.scope, content], sort_keys=True)  # words differ by scope
    return FlowVersion.objects.create(
        flow=flow, number=newest.number + 1 if newest else 1, content=content,
        digest=hashlib.sha256(text.encode()).hexdigest(), published_at=now or timezone.now(),
        published_by_id=actor.pk if actor is not None else None, note=note[:200], effective_at=effective_at,
    )  # fmt: skip


def _meet(rows: Iterable[tuple[str, Any, str]]) -> None:
    for digest, content, scope in rows:
        _read[digest] = drawn(content, scope)


def _raw(node: Node) -> list[Any]:
    given = node.given.get("branches")
    return given if isinstance(given, list) else []


def _sound(node: Node, words: Vocabulary) -> list[Branch]:
    found: list[Branch] = []
    for raw in _raw(node):
        try:
            found += checking.branches(replace(node, given={"branches": [raw]}), words)
        except RuleError as fault:
            logger.error("a branch of flow node %s is skipped: %s", node.id, fault)
    return found

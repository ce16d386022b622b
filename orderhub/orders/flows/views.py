"""The editor's page and what its script asks: checks, saving, trying an order; and the library of ready-made flows."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, JsonResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from orderhub.inventory.admin_base import is_chinese, named
from orderhub.kernel import clock
from orderhub.orders.flows import access, palette, reading, trying
from orderhub.orders.flows.access import SEES, flow_of, staff
from orderhub.orders.models import Order
from rules.engine import RuleError
from rules.flows import changes, checking, publishing, starters
from rules.flows.graph import DECIDE, ELSE, flat, read
from rules.models import Flow, FlowVersion

Json = dict[str, Any]
_MOST_BYTES = 200_000
_MOST_VERSIONS = 30


@staff
def library(request: HttpRequest) -> HttpResponse:
    """The ready-made flows, to copy one for a merchant."""
    access.require(request, access.CHANGES)
    zh = is_chinese()
    rows = [
        {"code": x.code, "name": x.name if zh else x.name_en, "about": x.about if zh else x.about_en,
         "way": [checking.label(node)[0 if zh else 1] for node in read(x.content).nodes.values()]}
        for x in starters.all_()
    ]  # fmt: skip
    scopes = [
        {
            "value": scope,
            "name": named(row) if row is not None else _("all merchants without a flow of their own"),
        }
        for scope, row in access.scopes(request)
    ]
    page = {
        **admin.site.each_context(request),
        "title": _("Ready-made flows"),
        "rows": rows,
        "scopes": scopes,
    }
    return TemplateResponse(request, "admin/flows/library.html", page)


@staff
@require_POST
def copy(request: HttpRequest, code: str) -> HttpResponse:
    """Make a draft of a ready-made flow, and open it."""
    access.require(request, "rules.add_flow")
    scope = request.POST.get("scope", "")
    if scope not in dict(access.scopes(request)) or code not in {x.code for x in starters.all_()}:
        messages.error(request, _("Choose a merchant."))
        return HttpResponseRedirect(reverse("flows:library"))
    starter = starters.get(code)
    taken = set(Flow.objects.filter(scope=scope).values_list("code", flat=True))
    number = next(n for n in range(1, 1000) if (code if n == 1 else f"{code}-{n}") not in taken)
    tail = "" if number == 1 else f" {number}"
    flow = Flow.objects.create(
        code=code if number == 1 else f"{code}-{number}", name=f"{starter.name}{tail}",
        name_en=f"{starter.name_en}{tail}", scope=scope, draft=starter.content, revision=1,
    )  # fmt: skip
    return HttpResponseRedirect(reverse("flows:draw", args=(flow.pk,)))


@staff
def draw(request: HttpRequest, pk: int) -> HttpResponse:
    """The editor: canvas and list of one flow, its checks, a trial, its versions."""
    flow = flow_of(request, pk, SEES)
    now, zh = clock.now(), is_chinese()
    content = flow.draft or flat(flow.steps)
    may_change = request.user.has_perm(access.CHANGES)
    in_force = publishing.version_in_force(flow, now=now)
    counts = publishing.in_force(flow.scope, now=now)
    names = ("check", "save", "try")
    data = {
        "content": content, "revision": flow.revision, "lang": "zh" if zh else "en", "readonly": not may_change,
        "steps": palette.steps(flow.scope, zh=zh), "facts": palette.facts(flow.scope, zh=zh),
        "words": palette.words(), "urls": {name: reverse(f"flows:{name}", args=(pk,)) for name in names},
    }  # fmt: skip
    versions = list(flow.versions.select_related("published_by").order_by("-number")[:_MOST_VERSIONS])
    page = {
        **admin.site.each_context(request), "title": named(flow), "flow": flow, "name": named(flow), "data": data,
        "may_change": may_change, "in_force": in_force, "versions": _versions(versions, in_force, now),
        "next_number": versions[0].number + 1 if versions else 1, "scope": _scope(flow),
        "differs": in_force is not None and bool(flow.draft) and in_force.content != flow.draft,
        "overruled": counts.flow if counts is not None and counts.flow_id != flow.pk else None,
        "is_counting": counts is not None and counts.flow_id == flow.pk,
        "sample": _sample(flow), "history": reverse("admin:rules_flow_history", args=(pk,)),
    }  # fmt: skip
    return TemplateResponse(request, "admin/flows/draw.html", page)


@staff
@require_POST
def check(request: HttpRequest, pk: int) -> HttpResponse:
    """What the checks say of a drawing, and its conditions as sentences."""
    flow = flow_of(request, pk, SEES)
    try:
        content = _body(request).get("content")
        return JsonResponse({"findings": _findings(flow, content), "sentences": _sentences(flow, content)})
    except RuleError as fault:
        return _refused(fault)


@staff
@require_POST
def save(request: HttpRequest, pk: int) -> HttpResponse:
    """Keep the drawing as the draft; 409 with the newer one if somebody else saved meanwhile."""
    flow = flow_of(request, pk)
    try:
        body = _body(request)
        revision = int(body.get("revision", -1))
        saved = publishing.save_draft(flow, body.get("content"), revision=revision)
    except (TypeError, ValueError) as fault:
        return (
            _refused(fault)
            if isinstance(fault, RuleError)
            else JsonResponse({"error": str(fault)}, status=400)
        )
    except publishing.Stale as stale:
        theirs = Flow.objects.get(pk=pk)
        last = theirs.history.select_related("history_user").first()
        who = last.history_user.get_username() if last is not None and last.history_user else ""
        told = {"revision": stale.revision, "content": theirs.draft, "by": who}
        return JsonResponse(told, status=409)
    return JsonResponse({"revision": saved.revision})


@staff
@require_POST
def try_(request: HttpRequest, pk: int) -> HttpResponse:
    """The way an order would go through the drawing now, decision by decision."""
    flow = flow_of(request, pk, SEES)
    try:
        body = _body(request)
        drawn = publishing.drawn(body.get("content"), flow.scope)
    except RuleError as fault:
        return _refused(fault)
    order = _order(request, flow, str(body.get("order", "")))
    if order is None:
        return JsonResponse({"error": _("There is no such order here.")}, status=404)
    tried = trying.try_order(drawn, order, flow.scope, now=clock.now())
    return JsonResponse({
        "order": order.number, "done": tried.is_done,
        "stops": [_stop(stop, flow) for stop in tried.stops],
    })  # fmt: skip


def _body(request: HttpRequest) -> Json:
    if len(request.body) > _MOST_BYTES:
        raise RuleError("flow", "size", zh="流程太大", en="the flow is too large")
    try:
        body = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        body = {}
    return body if isinstance(body, dict) else {}


def _refused(fault: RuleError) -> HttpResponse:
    text = fault.zh if is_chinese() else fault.en
    return JsonResponse({"error": f"{fault.path}: {text}"}, status=400)


def _findings(flow: Flow, content: object) -> list[Json]:
    zh = is_chinese()
    return [
        {"level": x.level, "code": x.code, "nodes": list(x.nodes), "text": x.zh if zh else x.en}
        for x in publishing.check(flow, content)
    ]


def _sentences(flow: Flow, content: object) -> dict[str, dict[str, str]]:
    """Per decision and exit the condition in words; what does not compile is left out."""
    language = "zh" if is_chinese() else "en"
    found: dict[str, dict[str, str]] = {}
    for node in read(content).nodes.values():
        raw = node.given.get("branches") if node.step == DECIDE else None
        for row in raw if isinstance(raw, list) else []:
            if isinstance(row, Mapping) and isinstance(row.get("exit"), str):
                one = type(node)(node.id, node.step, {"branches": [row]})
                _name, said = reading.branch_words(one, row["exit"], flow.scope, language)
                if said:
                    found.setdefault(node.id, {})[row["exit"]] = said
    return found


def _order(request: HttpRequest, flow: Flow, number: str) -> Order | None:
    """An order by our number, its id or the channel's number, of the flow's merchant and one this person may see."""
    rows = Order.objects.select_related("merchant", "channel", "person")
    scope = access.own_scope(request) or flow.scope
    if scope:
        rows = rows.filter(merchant_id=int(scope.removeprefix("merchant:")))
    text = number.strip()
    tail = text.rpartition("-")[2] if text.startswith("OH") else text
    if tail.isdecimal() and len(tail) < 16:
        found = rows.filter(pk=int(tail)).first()
        if found is not None:
            return found
    return rows.filter(external_id=text[:100]).order_by("-pk").first() if text else None


def _sample(flow: Flow) -> str:
    rows = Order.objects.order_by("-pk")
    if flow.scope:
        rows = rows.filter(merchant_id=int(flow.scope.removeprefix("merchant:")))
    newest = rows.first()
    return newest.number if newest is not None else ""


def _stop(stop: trying.Stop, flow: Flow) -> Json:
    zh = is_chinese()
    language = "zh" if zh else "en"
    name = ""
    if stop.node.step == DECIDE:
        name, _said = reading.branch_words(stop.node, stop.exit or ELSE, flow.scope, language)
    return {
        "node": stop.node.id, "name": checking.label(stop.node)[0 if zh else 1], "exit": stop.exit, "exit_name": name,
        "asked": [{"text": x.zh if zh else x.en, "holds": x.holds} for x in stop.asked],
        "told": [f"{row['name']} {row['value']}" for row in reading.told_words(stop.told, language)],
    }  # fmt: skip


def _scope(flow: Flow) -> str:
    found = dict(access.scopes_named([flow.scope]))
    return found[flow.scope] or _("all merchants without a flow of their own")


def _versions(rows: list[FlowVersion], in_force: FlowVersion | None, now: datetime) -> list[Json]:
    older = {row.number: row for row in rows}
    return [
        {
            "row": row,
            "changes": changes.told(older.get(row.number - 1), row, zh=is_chinese()),
            "is_in_force": in_force is not None and row.pk == in_force.pk,
            "is_coming": row.effective_at is not None and row.effective_at > now and row.withdrawn_at is None,
            "can_go_back": in_force is not None and row.pk != in_force.pk,
        }
        for row in rows
    ]

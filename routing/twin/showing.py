"""A what-if run as the operator's page shows it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from orderhub.inventory.admin_base import is_chinese, named
from orderhub.kernel import clock
from routing.models import Strategy
from routing.twin import chart, words
from routing.twin.models import TwinRun
from routing.twin.service import MOST_DAYS, figures_key
from routing.vocabulary import TERMS, word

Json = Mapping[str, Any]
PERIODS = (1, 3, 7, 14, 30, 90)
#: Tiles in this order: name, unit, digits, "share" for a change in percent.
_TILES: tuple[tuple[str, str, int, str], ...] = (
    ("money", "¥", 2, "share"),
    ("hours", "h", 1, "difference"),
    ("remote_hours", "h", 1, "difference"),
    ("kgco2e", "kg", 3, "share"),
    ("split", "%", 1, "points"),
    ("late", "%", 1, "points"),
)
_MORE: tuple[tuple[str, str, int], ...] = (("value", "¥", 2), ("parcels", "", 3), ("drop_ship", "", 3))


def panel(run: TwinRun | None, strategy: Strategy, values: Json) -> dict[str, Any]:
    """What the panel's template needs; `values` are the figures of the page, to say whether the run fits."""
    context: dict[str, Any] = {
        "strategy": strategy,
        "run": run,
        "periods": [(days, _period(days)) for days in PERIODS if days <= MOST_DAYS],
        "chosen": run.days if run else 7,
        "url": reverse("admin:routing_strategy_whatif", args=(strategy.pk,)),
    }
    if run is None:
        return context
    context |= {"fits": run.figures_key == figures_key(values), "when": _when(run)}
    if run.error:
        context["happened"], context["remedy"] = words.error(run.error, run.error_facts)
    if run.is_open:
        context |= _progress(run)
    if run.result:
        context |= _result(run, run.result)
    return context


def _period(days: int) -> str:
    return ngettext("last day", "last %(days)d days", days) % {"days": days}


def _when(run: TwinRun) -> str:
    """The days replayed, in the merchant's reading."""
    first, last = timezone.localtime(run.starts_at), timezone.localtime(run.ends_at)
    pattern = "{0.month} 月 {0.day} 日" if is_chinese() else "{0:%b} {0.day}"
    return f"{pattern.format(first)} – {pattern.format(last)}"


def _progress(run: TwinRun) -> dict[str, Any]:
    left = None
    if run.started_at and run.done and run.total > run.done:
        spent = (clock.now() - run.started_at).total_seconds()
        left = max(1, round(spent / run.done * (run.total - run.done)))
    return {
        "left": ngettext("about %(n)d second left", "about %(n)d seconds left", left) % {"n": left} if left else "",
        "done_text": f"{run.done:,} / {run.total:,}" if run.total else "",
    }  # fmt: skip


def _result(run: TwinRun, result: Json) -> dict[str, Any]:
    found = result["figures"]
    return {
        "result": result,
        "summary": words.summary(result, run.days),
        "verdict": words.verdict(result, run.figures),
        "tiles": [_tile(found[name], name, unit, digits, kind) for name, unit, digits, kind in _TILES if name in found],
        "more": [
            _plain_row(found[name], name, unit, digits)
            for name, unit, digits in _MORE
            if name in found and _has(found[name])
        ],
        "terms": _terms(result),
        "agreement": words.agreement(result["fidelity"]),
        "is_faithful": (result["fidelity"]["share"] or 0) >= 0.95,
        "notes": [words.note(row) for row in result["notes"]],
        "statuses": _statuses(result),
        "houses": _houses(result),
        "top": [_order(row, result) for row in result["top"]],
        "is_ranged": any(figure["low"] is not None for figure in found.values()),
        "count": ngettext("%(n)s order", "%(n)s orders", result["orders"]) % {"n": f"{result['orders']:,}"},
        "changed": ngettext("%(n)s order goes another way", "%(n)s orders go another way", result["changed"])
        % {"n": f"{result['changed']:,}"},
        **_chart(run, result),
    }  # fmt: skip


def _tile(figure: Json, name: str, unit: str, digits: int, kind: str) -> dict[str, Any]:
    scale = 100 if unit == "%" else 1
    change = figure["difference"] * scale
    if kind == "share":
        text = words.share(figure)
    elif kind == "points":
        text = gettext("%(n)s pts") % {"n": words.signed(change, digits)}
    else:
        text = gettext("%(n)s h") % {"n": words.signed(change, digits)}
    unclear = words.is_unclear(figure)
    return {
        "label": words.LABELS[name],
        "change": text,
        "tone": "" if unclear or not round(change, digits) else "oh-cost" if change > 0 else "oh-good",
        "now": _amount(figure["current"] * scale, unit, digits),
        "then": _amount(figure["draft"] * scale, unit, digits),
        "range": _range(figure, kind, scale, digits),
        "is_unclear": unclear,
    }


def _range(figure: Json, kind: str, scale: float, digits: int) -> str:
    if figure["low"] is None:
        return ""
    low, high = figure["low"] * scale, figure["high"] * scale
    if kind == "share":
        if not figure["current"]:
            return ""
        low, high = (end / abs(figure["current"]) * 100 for end in (figure["low"], figure["high"]))
        return f"{words.signed(low, 1)} … {words.signed(high, 1)}%"
    return f"{words.signed(low, digits)} … {words.signed(high, digits)}"


def _amount(value: float, unit: str, digits: int) -> str:
    text = f"{value:,.{digits}f}"
    if unit == "¥":
        return f"¥{text}"
    return f"{text}%" if unit == "%" else f"{text} {unit}".strip()


def _plain_row(figure: Json, name: str, unit: str, digits: int) -> dict[str, Any]:
    return {
        "label": words.LABELS[name],
        "now": _amount(figure["current"], unit, digits),
        "then": _amount(figure["draft"], unit, digits),
        "change": words.signed(figure["difference"], digits),
    }


def _has(figure: Json) -> bool:
    return bool(figure["current"] or figure["draft"])


def _terms(result: Json) -> list[dict[str, Any]]:
    """The engine's own terms, each arm at its own rates; what is nought in both is left out."""
    return [
        {
            "label": word(TERMS, name, "zh" if is_chinese() else "en"),
            "now": f"¥{now:,.2f}".replace("¥-", "−¥"),
            "then": f"¥{then:,.2f}".replace("¥-", "−¥"),
            "change": words.signed(then - now, 2),
        }
        for name, (now, then) in result["terms"].items()
        if round(now, 2) or round(then, 2)
    ]


def _statuses(result: Json) -> list[dict[str, Any]]:
    labels = {"partial": _("partly sent"), "unroutable": _("without a warehouse")}
    now, then = result["statuses"]
    return [
        {"label": label, "now": now.get(code, 0), "then": then.get(code, 0)}
        for code, label in labels.items()
        if now.get(code) or then.get(code)
    ]


def _houses(result: Json) -> list[dict[str, Any]]:
    """Bars of parcels by warehouse; the widths are shares of the greatest."""
    most = max((n for row in result["warehouses"] for n in row["parcels"]), default=1) or 1
    found = []
    for row in result["warehouses"]:
        now, then = row["parcels"]
        peaks = [None if peak is None else round(peak * 100) for peak in row["peak"]]
        found.append({
            "name": _name(result["names"], row["warehouse"]),
            "now": now, "then": then,
            "now_width": round(now / most * 100, 1), "then_width": round(then / most * 100, 1),
            "now_peak": peaks[0], "then_peak": peaks[1],
            "full_days": row["full_days"][1],
            "is_over": row["full_days"][1] > row["full_days"][0],
        })  # fmt: skip
    return found


def _order(row: Json, result: Json) -> dict[str, Any]:
    now, then = row["current"], row["draft"]
    # From the same warehouses it is the service that differs.
    cards = result.get("cards", {}) if sorted(now["warehouses"]) == sorted(then["warehouses"]) else {}
    both = "money" in now and "money" in then and now["status"] == then["status"] == "routed"
    return {
        "number": row["number"] or row["order"],
        "url": reverse("admin:orders_order_change", args=(row["order"],)),
        "now": _plan(now, result["names"], cards),
        "then": _plan(then, result["names"], cards),
        "yuan": words.signed(then["money"] - now["money"], 2) if both else "",
        "hours": words.signed(then["hours"] - now["hours"], 1) if both else "",
        "tone": ("oh-cost" if then["money"] > now["money"] else "oh-good") if both else "",
    }


def _plan(side: Json, names: Json, cards: Json) -> str:
    houses = [_name(names, pk) for pk in side["warehouses"]]
    told = [cards.get(code, [code, code])[0 if is_chinese() else 1] for code in side.get("cards", ())]
    if cards:
        houses = [f"{house} · {card}" for house, card in zip(houses, told, strict=True)]
    text = ("＋" if is_chinese() else " + ").join(dict.fromkeys(houses)) or gettext("no warehouse")
    if len(houses) > len(set(houses)):
        text += gettext(" in %(n)d parcels") % {"n": len(houses)}
    if side["short"] and houses:
        text += gettext(", %(n)d units short") % {"n": side["short"]}
    return text


def _name(names: Json, pk: int) -> str:
    pair = names.get(str(pk))
    if pair is None:
        return gettext("a warehouse deleted since")
    return str(pair[0] if is_chinese() else pair[1])


def _chart(run: TwinRun, result: Json) -> dict[str, Any]:
    told = result.get("chart")
    if not told:
        return {"chart": None}
    others = {row.pk: named(row) for row in Strategy.objects.filter(merchant=run.merchant_id)}
    dots = [
        chart.Dot(
            row["kind"], _label(row, others), row["cost"], row["hours"], row["kgco2e"]
        )
        for row in told["points"]
    ]  # fmt: skip
    best = chart.frontier(dots)
    rows = [{"dot": dot, "is_best": dot in best} for dot in sorted(dots, key=lambda dot: dot.cost)]
    return {
        "chart": chart.draw(dots),
        "points": rows,
        "chart_count": ngettext("%(n)s order", "%(n)s orders", told["orders"]) % {"n": f"{told['orders']:,}"},
    }


def _label(row: Json, others: Mapping[int, str]) -> str:
    if row["kind"] == "current":
        return gettext("Current")
    if row["kind"] == "draft":
        return gettext("Draft")
    if row["kind"] == "neighbor":
        return gettext("hour × %(factor)s") % {"factor": row["factor"]}
    return others.get(row["strategy"], gettext("a strategy deleted since"))

"""The template words: what they draw, and that no page of ours needs an inline style."""

from __future__ import annotations

import gzip
import re
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.template.loader import render_to_string
from django.utils import timezone

from orderhub.templatetags import ui
from orderhub.unfold import SIDEBAR, UNFOLD

ROOT = Path(__file__).resolve().parents[2]
SHANGHAI = ZoneInfo("Asia/Shanghai")
NOW = datetime(2026, 11, 19, 14, 20, tzinfo=SHANGHAI)
ETA = {
    "from": "2026-11-19T15:10:00+08:00",
    "to": "2026-11-19T16:00:00+08:00",
    "promise": "2026-11-19T18:00:00+08:00",
    "text": "15:10–16:00",
    "late": False,
}


def test_a_pill_carries_shape_word_and_tone() -> None:
    drawn = ui.pill("ok", "已签收")

    assert 'class="oh-pill t-ok"' in drawn
    assert "icons.svg#ok" in drawn
    assert "<span>已签收</span>" in drawn


def test_an_unknown_tone_is_waiting_and_text_is_escaped() -> None:
    drawn = ui.pill("pink", "<b>x</b>")

    assert "t-wait" in drawn
    assert "<b>" not in drawn


def test_the_eta_band_lies_between_now_and_the_promise() -> None:
    with timezone.override(SHANGHAI):
        places = ui.eta_band(ETA, NOW)

    assert places["now"] == 8.0
    assert places["promise"] == 84.0
    assert places["now"] < places["left"] < places["left"] + places["width"] < places["promise"]
    assert places["promise_today"] is True


def test_a_label_that_would_touch_drops_to_the_second_row() -> None:
    late = {**ETA, "promise": "2026-11-19T15:40:00+08:00"}

    places = ui.eta_band(late, NOW)

    assert places["promise_low"] is True
    assert places["is_tall"] is True


@pytest.mark.parametrize("eta", [None, "", {}, {"from": None, "to": None}])
def test_no_band_is_drawn_without_an_eta(eta: Any) -> None:
    assert ui.eta_band(eta, NOW) == {"shown": False}


@pytest.mark.parametrize(
    ("difference", "holds", "lacks"),
    [(-4.1, "oh-dv-good", "oh-dv-cost"), (1.43, "oh-dv-cost", "oh-dv-good"), (0, "oh-dv-mid", "oh-dv-good")],
)
def test_cheaper_is_plain_and_dearer_is_striped(difference: float, holds: str, lacks: str) -> None:
    drawn = ui.diverging_bar(difference, 4.1)

    assert holds in drawn
    assert lacks not in drawn


def test_a_load_over_its_limit_is_bad() -> None:
    assert "t-bad" in ui.load_bar(80, 106, 100)
    assert "t-warn" in ui.load_bar(70, 94, 100)
    assert "t-go" in ui.load_bar(50, 82, 100)


def test_times_in_a_sentence_stand_out_and_the_rest_is_escaped() -> None:
    marked = ui.clock_ranges("今天 15:10–16:00 <送到>")

    assert marked == '今天 <em class="oh-n">15:10–16:00</em> &lt;送到&gt;'


def test_half_way_is_drawn_in_the_middle() -> None:
    parcel = {
        "origin": {"lat": 0, "lng": 100},
        "position": {"lat": 0, "lng": 105},
        "destination": {"lat": 0, "lng": 110},
    }

    assert ui.travelled(parcel) == 50.0
    assert ui.travelled({**parcel, "position": None}) is None


def test_the_missing_page_needs_no_inline_style_script_or_other_host() -> None:
    page = render_to_string("tracking/missing.html")

    assert "<h1>" in page
    assert _is_strict(page)


def test_a_held_order_shows_its_sentence_and_no_band_map_or_carbon() -> None:
    page = render_to_string("tracking/page.html", {"track": _held_order(), "token": "abc"})

    assert '<h1 data-slot="headline">We are checking your order</h1>' in page
    assert 'data-token="abc" data-seq="1"' in page
    assert 'data-slot="eta" hidden' in page
    assert 'data-slot="carbon-card" aria-labelledby="carbon" hidden' in page
    assert "data-map=" not in page.split("<template")[0]
    assert _is_strict(page)


def test_what_a_shop_writes_is_escaped_on_the_tracking_page() -> None:
    track = _held_order()
    track["merchant"] = {"name": "<img src=x onerror=alert(1)>"}
    track["timeline"][0]["text"] = "<script>alert(1)</script>"

    page = render_to_string("tracking/page.html", {"track": track, "token": "abc"})

    assert "<img src=x" not in page
    assert "<script>alert" not in page


def _held_order() -> dict[str, Any]:
    step = {
        "seq": 1,
        "at": "2026-11-19T14:02:00+08:00",
        "at_text": "14:02",
        "text": "Paid",
        "place": "",
        "source": "",
    }
    return {
        "order_number": "OH1",
        "merchant": {"name": "Qinghe"},
        "seq": 1,
        "updated_at": "2026-11-19T14:20:00+08:00",
        "stage": {"code": "reviewing", "text": "Checking", "tone": "hold"},
        "headline": {"text": "We are checking your order", "detail": None},
        "eta": None,
        "destination": {"text": "Chengdu", "lat": None, "lng": None},
        "parcels": [],
        "timeline": [{**step, "classifier": "ACTUAL", "tone": "ok", "parcel_id": None}],
        "waiting": [],
        "carbon": None,
        "notice": None,
    }


def _is_strict(page: str) -> bool:
    """No inline style, no inline script, no other host."""
    inline = re.search(r"<script(?![^>]*\bsrc=)", page) or " style=" in page or " onclick=" in page
    return not inline and re.search(r'(?:src|href)="(?:https?:)?//', page) is None


def test_colors_are_written_in_the_tokens_only() -> None:
    folders = [ROOT / "orderhub" / "static" / "orderhub", ROOT / "tracking" / "static" / "tracking"]
    sheets = [sheet for folder in folders for sheet in folder.glob("*.css") if sheet.name != "tokens.css"]

    found = {
        sheet.name: re.findall(
            r"#[0-9a-fA-F]{3,8}\b|\b(?:rgba?|hsla?|oklch)\(", sheet.read_text(encoding="utf-8")
        )
        for sheet in sheets
    }

    assert found == {"core.css": [], "ui.css": [], "tracking.css": [], "fence.css": []}


def test_both_dark_blocks_of_the_tokens_say_the_same() -> None:
    text = (ROOT / "orderhub" / "static" / "orderhub" / "tokens.css").read_text(encoding="utf-8")
    blocks = re.findall(r"(?:html\.dark, [^{]*|html\.system:not\(\.light\) )\{(.*?)\}", text, re.DOTALL)

    in_admin, by_system = (re.sub(r"\s+", " ", block).strip() for block in blocks)

    assert in_admin == by_system


def test_every_icon_a_template_names_is_in_the_sprite() -> None:
    sprite = (ROOT / "orderhub" / "static" / "orderhub" / "icons.svg").read_text(encoding="utf-8")
    drawn = set(re.findall(r'<symbol id="([\w-]+)"', sprite))
    templates = (ROOT / "templates").rglob("*.html")

    named = {
        name
        for page in templates
        for name in re.findall(r'{% icon "([\w-]+)"', page.read_text(encoding="utf-8"))
    }

    assert named - drawn == set()
    assert set(ui.TONES) <= drawn


def test_the_tracking_page_stays_below_60_kb_without_the_map() -> None:
    files = ["core.css", "tokens.css", "icons.svg", "favicon.svg"]
    sheets = [ROOT / "orderhub" / "static" / "orderhub" / name for name in files]
    sheets += [ROOT / "tracking" / "static" / "tracking" / name for name in ("tracking.css", "tracking.js")]

    # As they travel: production serves what `collectstatic` has packed. The rest is kept for the page itself.
    assert sum(len(gzip.compress(sheet.read_bytes())) for sheet in sheets) < 20_000


def test_the_sidebar_names_each_target_once_and_unfold_gets_eleven_steps_a_color() -> None:
    targets = [link.target for group in SIDEBAR for link in group.links]

    assert len(targets) == len(set(targets))
    assert [len(scale) for scale in UNFOLD["COLORS"].values()] == [11, 11]

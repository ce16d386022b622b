"""The claim linter: what it finds, where it blocks, and that nothing of ours says what it refuses."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from django.core.management import CommandError, call_command
from hypothesis import given, settings
from hypothesis import strategies as st

from carbon.claims import linter, reviewing, services, starters
from carbon.claims.models import ClaimCheck, ClaimText, ClaimWord
from carbon.reports.models import ReportProfile
from orderhub.kernel.errors import Refused
from orderhub.orders.models import Order
from rules import vocabulary
from tests import cast, make
from tests.admin import desk

WORDS = starters.words()
NOW = datetime(2026, 11, 22, tzinfo=UTC)
REFUSED = [
    ("本单碳中和配送", "zh", "forbidden_word"),
    ("100% carbon-neutral shipping!", "en", "forbidden_word"),
    ("CARBON  NEUTRAL", "en", "forbidden_word"),
    ("car\u200bbon neutral delivery", "en", "forbidden_word"),
    ("<b>carbon</b> <i>neutral</i>", "en", "forbidden_word"),
    ("ｃａｒｂｏｎ ｎｅｕｔｒａｌ", "en", "forbidden_word"),
    ("Klimaneutraler Versand: klimaneutral", "de", "forbidden_word"),
    ("Choose green delivery", "en", "forbidden_word"),
    ("零碳包裹", "zh", "forbidden_word"),
    ("Certified to ISO 14083", "en", "forbidden_word"),
    ("This delivery saves carbon.", "en", "saving_without_baseline"),
    ("本单减少碳排放 30%。", "zh", "saving_without_baseline"),
    ("0.2 kg CO2e after offsets (ISO 14083, 2025)", "en", "offset_in_footprint"),
    ("抵消后排放 0 kg CO2e（ISO 14083，2025 年）", "zh", "offset_in_footprint"),
    ("0.98347 kg CO2e (ISO 14083, 2025)", "en", "false_precision"),
    ("0.98 kg CO2e in 2025", "en", "no_method"),
    ("0.98 kg CO2e, ISO 14083", "en", "no_year"),
]
ALLOWED = [
    ("Estimated 0.98 kg CO2e for this order (aligned with ISO 14083, data of 2025, 62 % primary data)", "en"),
    ("本次履约估算排放 0.98 kg CO2e（方法：ISO 14083 对齐，数据年份 2025，主要数据占比 62 %）", "zh"),
    ("An estimated 0.2 kg CO2e less than shipping at once (aligned with ISO 14083, data of 2025)", "en"),
    ("Consolidated delivery", "en"),
    ("合并配送", "zh"),
    ("The evergreen delivery van", "en"),
    ("Buy two, save 20 yuan", "en"),
    ("1200 kg CO2e (ISO 14083, 2025)", "en"),
]


@pytest.mark.parametrize(("text", "language", "code"), REFUSED)
def test_what_may_not_be_said_in_the_eu(text: str, language: str, code: str) -> None:
    assert code in {one.code for one in linter.lint(text, market="EU", language=language, words=WORDS)}


@pytest.mark.parametrize(("text", "language"), ALLOWED)
def test_what_may_be_said(text: str, language: str) -> None:
    assert linter.lint(text, market="EU", language=language, words=WORDS) == []


@given(st.text(max_size=300))
@settings(max_examples=60, deadline=None)
def test_any_text_is_read_and_markup_hides_nothing(text: str) -> None:
    linter.lint(text, market="EU", language="en", words=WORDS)
    assert (
        any(
            one.code == "forbidden_word"
            for one in linter.lint(f"{text} carbon neutral delivery", market="EU", language="en", words=WORDS)
        )
        or linter.normal(text)[-1:].isalnum()
        or "<" in text
    )


def test_vague_words_are_a_matter_of_the_eu_and_neutrality_of_any_market() -> None:
    def codes(text: str, market: str) -> set[str]:
        return {one.code for one in linter.lint(text, market=market, language="en", words=WORDS)}

    assert codes("Eco-friendly delivery", "US") == set()
    assert codes("Carbon neutral delivery", "US") == {"forbidden_word"}
    assert linter.market_of("de") == "EU"
    assert linter.market_of("CN") == "CN"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_our_own_sentences_pass(language: str) -> None:
    for place, text in services.templates(language):
        assert linter.lint(text, market="EU", language=language, words=WORDS) == [], place


# ---- publishing ----------------------------------------------------------------------------------


def text(words: str, market: str = "EU", **fields: str) -> ClaimText:
    return ClaimText.objects.create(
        merchant=make.merchant(), place="tracking", market=market, language="en", text=words, **fields
    )


@pytest.mark.django_db
def test_the_eu_blocks_and_every_check_is_kept() -> None:
    row = text("Carbon neutral delivery")

    with pytest.raises(Refused) as refusal:
        services.publish(row, actor="user:a", now=NOW, may_override=True)

    row.refresh_from_db()
    kept = ClaimCheck.objects.get()
    assert refusal.value.code == "claim_blocked"
    assert row.published_at is None
    assert (kept.verdict, kept.checked_by) == ("blocked", "user:a")
    assert kept.findings[0]["instead_en"]


@pytest.mark.django_db
def test_elsewhere_people_are_warned() -> None:
    row = text("Carbon neutral delivery", "CN")

    assert services.publish(row, actor="user:a", now=NOW, may_override=False).verdict == "warned"
    row.refresh_from_db()
    assert row.published_text == "Carbon neutral delivery"


@pytest.mark.django_db
@pytest.mark.parametrize(("may", "verdict"), [(True, "overridden"), (False, "blocked")])
def test_an_override_needs_the_right_and_a_reason(may: bool, verdict: str) -> None:
    row = text("Carbon neutral delivery", override_reason="counsel agreed on 1 November")

    try:
        services.publish(row, actor="user:a", now=NOW, may_override=may)
    except Refused:
        assert not may

    assert ClaimCheck.objects.get().verdict == verdict
    assert (row.published_at is not None) is may


@pytest.mark.django_db
def test_administrators_edit_the_words() -> None:
    services.ensure_words()
    ClaimWord.objects.update(is_active=False)
    ClaimWord.objects.create(text="planet hero", market="EU", language="en", why_zh="x", why_en="vague")

    assert {one.text for one in services.look("Be a planet hero", market="EU", language="en")} == {
        "planet hero"
    }
    assert services.look("carbon neutral", market="EU", language="en") == []


@pytest.mark.django_db
def test_the_page_publishes_and_tells_why_not() -> None:
    row = text("Carbon neutral delivery")
    client = desk.boss("en")

    answer = client.post(
        "/admin/carbon/claimtext/", {"action": "publish", "_selected_action": [row.pk]}, follow=True
    )

    assert any("may not be published" in told for told in desk.messages_of(answer))
    assert client.get("/admin/carbon/claimcheck/").status_code == 200


@pytest.mark.django_db
def test_rule_texts_are_read_before_they_are_published() -> None:
    reviewing.teach()
    ReportProfile.objects.create(merchant=make.merchant(), markets="EU, US")
    body = {"id": "r1", "name": "Climate neutral week", "then": [{"do": "x", "with": {"label": "碳中和"}}]}
    drafted = [vocabulary.Drafted(body, type("R", (), {"id": "r1"})(), None, None)]

    found = list(reviewing.review("s", f"merchant:{make.merchant().pk}", drafted, NOW))

    assert {(one.level, one.code) for one in found} == {
        ("error", "claim_forbidden_word"), ("warning", "claim_forbidden_word"),
    }  # fmt: skip
    assert {one.path for one in found} == {"r1.name", "r1.then[0].with.label"}
    assert next(iter(reviewing.review("s", "", drafted, NOW))).level == "warning"


@pytest.mark.django_db
def test_the_command_reads_what_is_published(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("carbon_claims", market="EU")
    row = text("Carbon neutral delivery", "*")
    ClaimText.objects.filter(pk=row.pk).update(published_text=row.text, published_at=NOW)

    with pytest.raises(CommandError, match="1 findings"):
        call_command("carbon_claims", market="EU")


@pytest.mark.django_db
def test_a_note_has_the_figure_and_falls_back_to_the_neutral_one(hub_clock: make.Clock) -> None:
    make.network()
    (order,) = make.place(make.draft(to=cast.LEI))
    figure = {
        "kg": 0.98,
        "low": 0.71,
        "high": 1.36,
        "year": "2025",
        "method": "ISO 14083",
        "primary_share": 0.62,
    }
    neutral = services.note_for(order, figure, place="email", language="en")
    ClaimText.objects.create(
        merchant=make.merchant(), place="email", market="CN", language="en", text="x", published_text="{kg} of {year}",
        published_at=NOW,
    )  # fmt: skip

    assert "0.98 kg CO2e" in neutral
    assert "62 %" in neutral
    assert services.note_for(Order.objects.get(), figure, place="email", language="en") == "0.98 of 2025"

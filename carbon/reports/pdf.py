"""A statement as PDF: pages of A4, Chinese by the reader's own font, nothing fetched."""

from __future__ import annotations

import io
from typing import Any
from xml.sax.saxutils import escape

from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import LongTable, Paragraph, SimpleDocTemplate, Spacer, TableStyle

from carbon.reports.chart import tidy
from carbon.reports.statement import DATA, FLAGS, Leg, Statement
from carbon.reports.terms import short
from carbon.wording import say, tongue

#: A font of the PDF standard's Asian set: every reader brings it, so no font is shipped.
CHINESE, LATIN = "STSong-Light", "Helvetica"
#: Rows beyond these belong into the audit book.
MOST_LEGS = 400


def of(statement: Statement) -> bytes:
    """The PDF of a statement."""
    file = io.BytesIO()
    page = SimpleDocTemplate(
        file, pagesize=landscape(A4), leftMargin=14 * mm, rightMargin=14 * mm, topMargin=14 * mm,
        bottomMargin=14 * mm, title=statement.title, author="OrderHub", subject=statement.subject,
    )  # fmt: skip
    draw = _Drawn(statement.language)
    page.build(_story(statement, draw))
    return file.getvalue()


class _Drawn:
    """Paragraphs in the font of a language."""

    def __init__(self, language: str) -> None:
        self.language = language
        font = CHINESE if tongue(language) == "zh" else LATIN
        if CHINESE not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
        # Names of places may be Chinese in an English statement: cells use the font that has both.
        wrap = {"wordWrap": "CJK"}
        self.title = ParagraphStyle("title", fontName=font, fontSize=16, leading=22)
        self.text = ParagraphStyle("text", fontName=CHINESE, fontSize=9, leading=13, **wrap)
        self.small = ParagraphStyle("small", fontName=CHINESE, fontSize=7, leading=9.5, **wrap)
        self.big = ParagraphStyle("big", fontName=CHINESE, fontSize=13, leading=18)

    def para(self, text: object, style: ParagraphStyle | None = None) -> Paragraph:
        """A paragraph of plain text."""
        return Paragraph(escape(str(text)), style or self.text)


def _story(statement: Statement, draw: _Drawn) -> list[Any]:
    language = statement.language
    figure = f"{tidy(statement.kg)} CO2e ({tidy(statement.low)} – {tidy(statement.high)}, 90 %)"
    story: list[Any] = [
        draw.para(statement.title, draw.title), draw.para(figure, draw.big), Spacer(1, 3 * mm),
    ]  # fmt: skip
    made = (say("制作时间", "Made at", language), f"{statement.made_at:%Y-%m-%d %H:%M} UTC")
    story += [draw.para(f"{name}: {value}") for name, value in [*statement.facts, *totals(statement), made]]
    story += [Spacer(1, 4 * mm), _table(statement.legs[:MOST_LEGS], draw), Spacer(1, 4 * mm)]
    if len(statement.legs) > MOST_LEGS:
        story.append(
            draw.para(say("更多环节见审计底稿。", "Further elements are in the audit book.", language))
        )
    story += [draw.para(f"• {note}") for note in statement.notes]
    story += [draw.para(f"{who} · {licence}: {text}", draw.small) for who, licence, text in statement.sources]
    return story


def totals(statement: Statement) -> list[tuple[str, str]]:
    """The sums of a statement in words, for page and PDF."""
    language = statement.language
    unknown = say("未知", "unknown", language)
    return [
        ("TTW", f"{tidy(statement.ttw)} CO2e" if statement.ttw is not None else unknown),
        ("WTW", f"{tidy(statement.wtw)} CO2e"),
        (say("运输活动", "Transport activity", language), f"{short(statement.tkm)} t·km"),
        (say("按购电合同口径合计", "Total, market-based electricity", language), f"{tidy(statement.market_kg)} CO2e"),
        (say("实测数据占比（按排放）", "Primary data, by emissions", language), f"{statement.primary_share * 100:.1f} %"),
    ]  # fmt: skip


def heads(language: str) -> list[str]:
    """The columns of the elements, for page and PDF."""
    return [
        say("环节", "Element", language), say("方式", "Mode", language), say("活动", "Activity", language),
        "t·km", "TTW kg", "WTT kg", "WTW kg", say("合计 kg", "Total kg", language),
        say("数据", "Data", language), say("因子", "Factor", language),
    ]  # fmt: skip


def cells(leg: Leg, language: str) -> list[str]:
    """The row of an element, for page and PDF."""
    flags = " · ".join(say(*FLAGS.get(flag, (flag, flag)), language) for flag in leg.flags)
    data = say(*DATA[leg.data], language) if leg.data in DATA else leg.data
    return [
        leg.name, leg.mode, leg.activity, short(leg.tkm), short(leg.ttw), short(leg.wtt), short(leg.wtw),
        short(leg.total), f"{data} · {flags}" if flags else data, leg.factor,
    ]  # fmt: skip


def _table(legs: Any, draw: _Drawn) -> LongTable:
    rows = [[draw.para(word, draw.small) for word in heads(draw.language)]]
    rows += [[draw.para(word, draw.small) for word in cells(leg, draw.language)] for leg in legs]
    table = LongTable(
        rows, colWidths=[x * mm for x in (34, 18, 46, 16, 16, 16, 16, 16, 38, 52)], repeatRows=1
    )
    table.setStyle(TableStyle([
        ("GRID", (0, 0), (-1, -1), 0.25, colors.lightgrey), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]))  # fmt: skip
    return table

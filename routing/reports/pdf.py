"""A report as PDF: pages of A4, charts drawn as lines, Chinese by the reader's own font, nothing fetched."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape

from django.utils.translation import gettext as _
from django.utils.translation import pgettext
from reportlab.graphics.shapes import Drawing, Line, Rect, String
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4, landscape
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.platypus import (
    KeepTogether,
    LongTable,
    Paragraph,
    SimpleDocTemplate,
    Spacer,
    Table,
    TableStyle,
)

from orderhub.inventory.admin_base import is_chinese, named
from routing.reports import chart, sentences, showing, words
from routing.reports.models import RoutingReport
from routing.reports.sums import DIMENSIONS

#: A font of the PDF standard's Asian set: every reader brings it, so no font is shipped.
CHINESE, LATIN = "STSong-Light", "Helvetica"
BLUE, AMBER, GREY = colors.HexColor("#3451d1"), colors.HexColor("#b45309"), colors.HexColor("#e3e6eb")
INK = colors.HexColor("#454e5e")
WIDE = 269 * mm
TONES = {"whole": BLUE, "dearer": AMBER, "cheaper": colors.HexColor("#7d92f7")}
#: Rows of a dimension that are printed; the CSV has all.
MOST_ROWS = 40


def of(report: RoutingReport) -> bytes:
    """The PDF of a report that is done, in the language in force."""
    file, draw = io.BytesIO(), _Drawn()
    title = _title(report)
    page = SimpleDocTemplate(
        file, pagesize=landscape(A4), leftMargin=14 * mm, rightMargin=14 * mm, topMargin=13 * mm,
        bottomMargin=14 * mm, title=title, author="OrderHub", subject=title,
    )  # fmt: skip

    def foot(canvas: Any, _document: Any) -> None:
        canvas.setFont(CHINESE, 8)
        canvas.setFillColor(INK)
        canvas.drawString(14 * mm, 8 * mm, title)
        canvas.drawRightString(landscape(A4)[0] - 14 * mm, 8 * mm, str(canvas.getPageNumber()))

    page.build(_story(report, draw), onFirstPage=foot, onLaterPages=foot)
    return file.getvalue()


class _Drawn:
    """Paragraphs and tables in a font that has both scripts; Latin headings in their own."""

    def __init__(self) -> None:
        if CHINESE not in pdfmetrics.getRegisteredFontNames():
            pdfmetrics.registerFont(UnicodeCIDFont(CHINESE))
        self.font = CHINESE if is_chinese() else LATIN
        wrap = {"wordWrap": "CJK"} if is_chinese() else {}
        self.title = ParagraphStyle("title", fontName=self.font, fontSize=17, leading=23)
        self.head = ParagraphStyle(
            "head", fontName=self.font, fontSize=12, leading=17, spaceBefore=9, spaceAfter=4
        )
        self.text = ParagraphStyle("text", fontName=CHINESE, fontSize=9.5, leading=14, **wrap)
        self.small = ParagraphStyle("small", fontName=CHINESE, fontSize=8, leading=10.5, **wrap)
        self.right = ParagraphStyle("right", parent=self.small, alignment=2)
        self.big = ParagraphStyle("big", fontName=CHINESE, fontSize=15, leading=20)

    def para(self, text: object, style: ParagraphStyle | None = None) -> Paragraph:
        """A paragraph of plain text."""
        # The standard's fonts lack the lowered two.
        return Paragraph(escape(str(text).replace("₂", "2")), style or self.text)

    def table(
        self, heads: Sequence[str], rows: Sequence[Sequence[str]], widths: Sequence[float], left: int = 1
    ) -> LongTable:
        """A table whose first `left` columns are words; the others are figures, on the right."""
        body = [
            [self.para(cell, self.small if n < left else self.right) for n, cell in enumerate(row)]
            for row in [heads, *rows]
        ]
        found = LongTable(body, colWidths=[width * mm for width in widths], repeatRows=1)
        found.setStyle(TableStyle([
            ("LINEBELOW", (0, 0), (-1, -1), 0.25, GREY), ("BACKGROUND", (0, 0), (-1, 0), colors.whitesmoke),
            ("VALIGN", (0, 0), (-1, -1), "TOP"), ("TOPPADDING", (0, 0), (-1, -1), 2), ("BOTTOMPADDING", (0, 0), (-1, -1), 2),
        ]))  # fmt: skip
        return found


def _title(report: RoutingReport) -> str:
    return _("Routing report of %(name)s, %(since)s – %(until)s") % {
        "name": named(report.merchant), "since": report.since.isoformat(), "until": report.until.isoformat(),
    }  # fmt: skip


def _story(report: RoutingReport, draw: _Drawn) -> list[Any]:
    result = report.result or {}
    story: list[Any] = [
        draw.para(_title(report), draw.title), draw.para(sentences.summary(result)), Spacer(1, 3 * mm),
        _tiles(result, draw), Spacer(1, 3 * mm),
    ]  # fmt: skip
    story += _charts(result, draw)
    story += _why(result, draw)
    story += _advice(report, draw)
    for dimension in DIMENSIONS:
        label = str(words.DIMENSION_WORDS[dimension])
        rows = [row.plain() for row in showing.rows(result, dimension)][:MOST_ROWS]
        story += [
            draw.para(_("By %(what)s") % {"what": label}, draw.head),
            _figures(showing.heads(label), rows, draw),
        ]
    days = [row.plain() for row in showing.days(result)]
    story += [draw.para(_("By day"), draw.head), _figures(showing.heads(_("Day")), days, draw)]
    story += [draw.para(_("Terms of the plans"), draw.head)]
    story.append(draw.table([_("Term"), _("¥ in all"), _("¥ each")], showing.terms(result), (60, 40, 30)))
    story += [Spacer(1, 4 * mm), *(draw.para(f"• {note}", draw.small) for note in showing.notes(result))]
    return story


def _figures(heads: Sequence[str], rows: Sequence[Sequence[str]], draw: _Drawn) -> LongTable:
    return draw.table(heads, rows, (65, 22, 22, 22, 20, 24, 22, 22, 26, 24))


def _tiles(result: Any, draw: _Drawn) -> Table:
    found = showing.tiles(result)
    cells = [
        [draw.para(one.label, draw.small), draw.para(one.value, draw.big), draw.para(one.change, draw.small)]
        for one in found
    ]
    table = Table([cells], colWidths=[WIDE / len(found)] * len(found))
    table.setStyle(
        TableStyle([("BOX", (0, 0), (-1, -1), 0.5, GREY), ("INNERGRID", (0, 0), (-1, -1), 0.25, GREY)])
    )
    return table


def _charts(result: Any, draw: _Drawn) -> list[Any]:
    sides = [[draw.para(_("Cost per order by day, ¥"), draw.head), _drawing(chart.days(result))]]
    if result["why"]:
        found = result["why"]["cost"]
        sides.append(
            [draw.para(_("Why the cost of an order changed, ¥"), draw.head), _drawing(chart.bridge(found))]
        )
    return [Table([sides], colWidths=[WIDE / 2] * len(sides), hAlign="LEFT")]


def _drawing(found: chart.Drawn) -> Drawing:
    """The page's own chart, turned over: PDF counts from below."""
    scale = (WIDE / 2 - 6 * mm) / found["width"]
    drawing = Drawing(found["width"] * scale, found["height"] * scale)
    drawing.scale(scale, scale)

    def flip(y: float) -> float:
        return float(found["height"] - y)

    def text(x: float, y: float, said: str, anchor: str) -> None:
        drawing.add(String(x, flip(y), said, fontName=CHINESE, fontSize=15, textAnchor=anchor, fillColor=INK))

    for mark in found["marks"]:
        drawing.add(Line(found["left"], flip(mark["y"]), found["right"], flip(mark["y"]), strokeColor=GREY))
        text(found["left"] - 6, mark["y"] + 5, mark["text"], "end")
    for link in found.get("links", ()):
        drawing.add(
            Line(link["x1"], flip(link["y"]), link["x2"], flip(link["y"]), strokeColor=INK, strokeWidth=0.6)
        )
    for bar in found["bars"]:
        color = TONES[bar.get("tone", "whole")]
        bottom = flip(bar["y"] + bar["tall"])
        drawing.add(Rect(bar["x"], bottom, bar["wide"], bar["tall"], fillColor=color, strokeColor=None))
        text(bar["middle"], found["under"] + 4, bar["label"], "middle")
        if "text" in bar:
            text(bar["middle"], bar["text_y"], bar["text"], "middle")
    return drawing


def _why(result: Any, draw: _Drawn) -> list[Any]:
    rows = []
    for row in showing.why(result):
        parts = [f"{one['amount']}" for one in row["parts"]]
        rows.append([f"{row['label']} ({row['unit']})", row["before"], row["now"], row["change"], *parts])
    if not rows:
        return []
    heads = [
        _("Per order"),
        _("before"),
        _("now"),
        _("change"),
        *(str(words.PART_SHORT[p]) for p in words.PART_SHORT),
    ]
    found: list[Any] = [
        draw.para(_("What changed, and why"), draw.head),
        draw.table(heads, rows, (65, 32, 32, 32, 36, 36, 36)),
    ]
    cost = showing.why(result)[0]
    for part in cost["parts"]:
        told = "; ".join(f"{who} {amount}" for who, amount in part["drivers"])
        found.append(draw.para(f"{part['label']}: {told or '–'}", draw.small))
    return [KeepTogether(found)]


def _advice(report: RoutingReport, draw: _Drawn) -> list[Any]:
    rows = showing.advices(report)
    if not rows:
        return [
            draw.para(_("Recommendations"), draw.head),
            draw.para(_("Nothing to advise: no unit came from farther away than it had to.")),
        ]
    found = [draw.para(_("Recommendations"), draw.head)]
    body = [[one["value"], one["kind"], f"{one['text']} {one['ground']} {one['replay']}"] for one in rows]
    return [
        *found,
        draw.table(
            [pgettext("routing report", "Value"), _("Kind"), _("What to do, and why")],
            body,
            (32, 30, 207),
            left=3,
        ),
    ]

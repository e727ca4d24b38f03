"""The building blocks of ``report.pdf``: pages in PDF/A-2u with embedded fonts, headings, paragraphs and tables."""

from collections.abc import Sequence
from datetime import datetime
from functools import cache
from typing import TYPE_CHECKING, Any

from deepfake_cli import assets
from deepfake_cli.inference.record import tool
from deepfake_cli.storage.escapes import visible

if TYPE_CHECKING:
    from fpdf import FPDF

FONT, MONO = "DejaVu", "DejaVuMono"
FILES = {(FONT, ""): assets.SANS, (FONT, "B"): assets.BOLD, (MONO, ""): assets.MONO}
MARGIN, WIDTH = 18.0, 174.0  # mm: of the page, of its text
NAMES = 44.0  # mm: the column of names
INK, MUTED, LINE = (27, 29, 31), (90, 95, 100), (213, 216, 219)
TALLEST = 1500  # characters of a row


def new_document(record: dict[str, Any]) -> "FPDF":
    """An empty document, whose pages say below what the report is on; `record` as in `deepfake_cli.case.schema.Case`."""
    from fpdf import FPDF

    class Report(FPDF):
        def footer(self) -> None:
            self.set_y(-13)
            self.set_font(FONT, size=7)
            self.set_text_color(*MUTED)
            files = record["files"]
            on = (files[0]["record"] or {}).get("file", {}).get("sha256") if len(files) == 1 else f"{len(files)} files"
            self.cell(WIDTH - 24, 5, f"{tool()} · {'SHA-256 ' if len(files) == 1 else ''}{on or ''}")
            self.cell(24, 5, f"{self.page_no()} / {{nb}}", align="R")

    pdf = Report(format="A4", enforce_compliance="PDF/A-2U")
    pdf.set_margins(MARGIN, MARGIN)
    pdf.c_margin = 0  # text and pictures begin at the same place
    pdf.set_auto_page_break(True, margin=18)
    pdf.set_creation_date(datetime.fromisoformat(record["created"]))
    pdf.set_title("Report on face manipulation")
    pdf.set_creator(tool())
    pdf.set_lang("en")
    for (family, style), file in FILES.items():
        pdf.add_font(family, style, file)
    pdf.set_font(FONT, size=9)
    return pdf


def add_table(pdf: "FPDF", rows: Sequence[tuple[str, str]]) -> None:
    """Add a table of names and values."""
    pdf.set_font(FONT, size=8)
    pdf.set_draw_color(*LINE)
    pdf.set_text_color(*INK)
    with pdf.table(
        col_widths=(NAMES, WIDTH - NAMES), first_row_as_headings=False, borders_layout="HORIZONTAL_LINES", line_height=4.2,
        padding=(0.7, 1, 0.7, 0), text_align="LEFT", v_align="TOP", width=WIDTH, align="LEFT",
    ) as table:  # fmt: skip
        for name, value in rows:
            text = _drawable(value)
            for start in range(0, max(1, len(text)), TALLEST):  # a row cannot be taller than a page
                row = table.row()
                row.cell("" if start else _drawable(name))
                row.cell(text[start : start + TALLEST])
    pdf.ln(1)


def add_title(pdf: "FPDF", text: str) -> None:
    """Add the title of the report."""
    pdf.set_font(FONT, "B", 18)
    pdf.set_text_color(*INK)
    pdf.multi_cell(WIDTH, 9, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")


def add_heading(pdf: "FPDF", text: str, *, large: bool = False, below: float = 12) -> None:
    """Add a heading, on the page of what is below it: at least so many mm."""
    reserve(pdf, 12 + below)
    pdf.ln(3 if large else 2)
    pdf.set_font(FONT, "B", 13 if large else 10)
    pdf.set_text_color(*INK)
    pdf.multi_cell(WIDTH, 6, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(0.5)


def add_paragraph(pdf: "FPDF", text: str, *, bold: bool = False, muted: bool = False, mono: bool = False) -> None:
    """Add a paragraph."""
    pdf.set_font(MONO if mono else FONT, "B" if bold else "", 8 if mono or muted else 9)
    pdf.set_text_color(*(MUTED if muted else INK))
    pdf.multi_cell(WIDTH, 4.6, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def reserve(pdf: "FPDF", height: float) -> float:
    """Begin a new page if less than `height` mm are left; returns where to draw."""
    if pdf.will_page_break(height):
        pdf.add_page()
    return float(pdf.get_y())


def _drawable(text: str) -> str:
    """The text with characters that the font does not have, and hidden ones, as escapes: nothing is lost in silence."""
    known = _known()
    return "".join(letter if ord(letter) in known else f"\\u{ord(letter):04x}" for letter in visible(text))


@cache
def _known() -> frozenset[int]:
    """The characters of both fonts."""
    from fontTools.ttLib import TTFont

    return frozenset.intersection(*(frozenset(TTFont(file).getBestCmap()) for file in FILES.values())) | {10}

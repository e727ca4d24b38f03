"""``report.pdf``: the report on paper, in PDF/A-2u, made without a browser."""

import io
from collections.abc import Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli import assets
from deepfake_cli.explain.page import CAUTION, overall
from deepfake_cli.inference.record import tool
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Timeline
from deepfake_cli.storage.escapes import visible

if TYPE_CHECKING:
    from fpdf import FPDF

FONT, MONO = "DejaVu", "DejaVuMono"
FILES = {(FONT, ""): assets.SANS, (FONT, "B"): assets.BOLD, (MONO, ""): assets.MONO}
MARGIN, WIDTH, HIGH = 18.0, 174.0, 34.0  # mm: of the page, of its text, of the timeline
NAMES = 44.0  # mm: the column of names
PICTURE = 28.0  # mm: a face
INK, MUTED, LINE, ACCENT, SHADE = (27, 29, 31), (90, 95, 100), (213, 216, 219), (106, 61, 154), (245, 246, 247)
STEPS = 600  # points of a timeline
TALLEST = 1500  # characters of a row


def write_pdf(path: Path, record: dict[str, Any], parts: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the report.

    Args:
        path: of the PDF.
        record: of the case, as `deepfake_cli.case.schema.Case` has it.
        parts: of the page, one per verdict, from `deepfake_cli.explain.page.part`.
        folder: of the case, with the pictures of the frames.
    """
    pdf = _document(record)
    pdf.add_page()
    title = parts[0]["words"] if len(parts) == 1 else f"{len(parts):,} files judged"
    _title(pdf, title)
    _text(pdf, f"Report of {tool()}, {record['created']} (UTC).", muted=True)
    _text(pdf, f"{CAUTION} The score is not the probability that the file was manipulated.")
    _heading(pdf, "Detector")
    _text(pdf, record["detector"])
    if rates := overall(parts, record["rates"]):
        _text(pdf, rates)
    if record["terms"]:
        _text(pdf, record["terms"])
    _text(pdf, record["command"], mono=True, muted=True)
    if len(parts) > 1:
        _heading(pdf, "Files")
        _rows(pdf, [(part["words"], f"{part['name']}{_short(part['verdict'])}") for part in parts])
    for part, entry in zip(parts, record["files"], strict=True):
        if len(parts) > 1:
            pdf.add_page()
        _file(pdf, part, entry, folder, verbal=record["settings"]["verbal"])
    pdf.output(str(path))


def _document(record: dict[str, Any]) -> "FPDF":
    from fpdf import FPDF

    class Report(FPDF):
        """A page has its number below, and what the report is on."""

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


def _file(pdf: "FPDF", part: dict[str, Any], entry: dict[str, Any], folder: Path, *, verbal: bool) -> None:
    verdict: Verdict = part["verdict"]
    _heading(pdf, f"{part['words']}: {part['name']}", large=True)
    _text(pdf, _said(verdict), bold=True)
    for note in [*verdict.notes, *(f"{count:,} not judged: {why}" for why, count in verdict.left_out.items())]:
        _text(pdf, f"• {note}")
    for line in verdict.record.origin_lines if verdict.record else ():
        _text(pdf, f"• {line}")
    if verdict.support:
        _heading(pdf, "Likelihood ratio")
        for line in verdict.support.lines(verbal=verbal):
            _text(pdf, line)
    if verdict.errors:
        _heading(pdf, "Error rates on files like this")
        _text(pdf, f"Of {verdict.errors.on}; with 95 % intervals over groups, none below ten groups.", muted=True)
        for line in verdict.errors.lines():
            _text(pdf, f"• {line}")
    faces = [face for face in verdict.faces if len(face.timeline) > 1 and len(face.timeline.judged)]
    if faces:
        _heading(pdf, "Score of each frame, from 0 (real) to 1 (fake)", below=HIGH + 8)
        _timeline(pdf, faces[0].timeline, verdict)
    if entry["shown"]:
        _heading(pdf, "Frames with the highest scores, and heat maps", below=2 * PICTURE + 8)
        _pictures(pdf, entry["shown"], folder)
        _text(pdf, "A heat map is coarse and does not prove a forgery at a place. PNG files of these frames are in the folder.",
              muted=True)  # fmt: skip
    for title, rows in part["record"]:
        _heading(pdf, title)
        _rows(pdf, rows)


def _said(verdict: Verdict) -> str:
    if verdict.score is None:
        return f"Cannot be judged: {verdict.reason}."
    ends = verdict.interval
    interval = f" (95 % interval over the frames of this file: {ends[0]:.3f}–{ends[1]:.3f})" if ends else ""
    limits = f"Called fake at or above {verdict.threshold:.3f}"
    if verdict.real_below < verdict.threshold:
        limits += f", real below {verdict.real_below:.3f}, undecided between"
    why = f" Undecided: {verdict.reason}." if verdict.reason else ""
    return f"{'Probability of fake' if verdict.calibrated else 'Score'} {verdict.score:.3f}{interval}. {limits}.{why}"


def _short(verdict: Verdict) -> str:
    return f": {verdict.reason}" if verdict.score is None else f": {verdict.score:.3f}"


def _timeline(pdf: "FPDF", timeline: Timeline, verdict: Verdict) -> None:
    """Draw the scores, the highest per step, and the thresholds."""
    left, top = pdf.l_margin, _room(pdf, HIGH + 8)
    frames, scores = timeline.frames, timeline.scores
    pdf.set_fill_color(*SHADE)
    pdf.rect(left, top, WIDTH, HIGH, style="F")
    pdf.set_fill_color(255)  # or tables are filled with it
    pdf.set_draw_color(*MUTED)
    pdf.set_line_width(0.2)
    for level in sorted({verdict.threshold, verdict.real_below}):
        pdf.dashed_line(left, top + HIGH * (1 - level), left + WIDTH, top + HIGH * (1 - level), 1.2, 0.8)
    across = (frames - frames[0]) / max(1, frames[-1] - frames[0])
    starts = np.flatnonzero(np.diff(np.floor(across * STEPS), prepend=-1.0))
    points = [
        (left + WIDTH * float(x), top + HIGH * (1 - float(score)))
        for x, score in zip(across[starts], np.fmax.reduceat(scores, starts), strict=True)
        if not np.isnan(score)
    ]
    pdf.set_draw_color(*ACCENT)
    pdf.set_line_width(0.4)
    pdf.polyline(points) if len(points) > 1 else pdf.circle(*points[0], 0.6)
    pdf.set_xy(left, top + HIGH + 1)
    pdf.set_font(FONT, size=7)
    pdf.set_text_color(*MUTED)
    first, last = (_when(verdict, int(frame)) for frame in (frames[0], frames[-1]))
    pdf.cell(WIDTH / 2, 4, first)
    pdf.cell(WIDTH / 2, 4, last, align="R", new_x="LMARGIN", new_y="NEXT")


def _when(verdict: Verdict, frame: int) -> str:
    time = verdict.time(frame)
    return f"frame {frame:,}" + ("" if time is None else f", {time:.2f} s")


def _pictures(pdf: "FPDF", shown: Sequence[dict[str, Any]], folder: Path) -> None:
    """A row of faces, below each its heat map."""
    across = int(WIDTH // (PICTURE + 1))
    for start in range(0, len(shown), across):
        row = shown[start : start + across]
        heat = any(entry["heat_picture"] for entry in row)
        top = _room(pdf, PICTURE * (1 + heat) + 8)
        for place, entry in enumerate(row):
            left = pdf.l_margin + place * (PICTURE + 1)
            for line, kind in enumerate(("face_picture", "heat_picture")):
                if entry[kind]:
                    picture = io.BytesIO((folder / entry[kind]).read_bytes())
                    words = f"Face {entry['face']} in frame {entry['frame']}"
                    pdf.image(picture, left, top + line * PICTURE, PICTURE - 0.5, PICTURE - 0.5, alt_text=words)
            pdf.set_xy(left, top + PICTURE * (1 + heat))
            pdf.set_font(FONT, size=6.5)
            pdf.set_text_color(*MUTED)
            pdf.cell(PICTURE, 4, f"frame {entry['frame']:,}: {entry['score']:.3f}")
        pdf.set_xy(pdf.l_margin, top + PICTURE * (1 + heat) + 6)


def _rows(pdf: "FPDF", rows: Sequence[tuple[str, str]]) -> None:
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


def _title(pdf: "FPDF", text: str) -> None:
    pdf.set_font(FONT, "B", 18)
    pdf.set_text_color(*INK)
    pdf.multi_cell(WIDTH, 9, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")


def _heading(pdf: "FPDF", text: str, *, large: bool = False, below: float = 12) -> None:
    """A heading, on the page of what is below it: at least so many mm."""
    _room(pdf, 12 + below)
    pdf.ln(3 if large else 2)
    pdf.set_font(FONT, "B", 13 if large else 10)
    pdf.set_text_color(*INK)
    pdf.multi_cell(WIDTH, 6, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(0.5)


def _text(pdf: "FPDF", text: str, *, bold: bool = False, muted: bool = False, mono: bool = False) -> None:
    pdf.set_font(MONO if mono else FONT, "B" if bold else "", 8 if mono or muted else 9)
    pdf.set_text_color(*(MUTED if muted else INK))
    pdf.multi_cell(WIDTH, 4.6, _drawable(text), align="L", new_x="LMARGIN", new_y="NEXT")
    pdf.ln(1)


def _room(pdf: "FPDF", height: float) -> float:
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

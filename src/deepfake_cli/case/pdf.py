"""``report.pdf``: the report on paper, in PDF/A-2u, made without a browser."""

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from deepfake_cli.case.pdf_document import (
    FONT,
    MUTED,
    WIDTH,
    add_heading,
    add_paragraph,
    add_table,
    add_title,
    new_document,
    reserve,
)
from deepfake_cli.explain.page import CAUTION, overall
from deepfake_cli.inference.record import tool
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Timeline

if TYPE_CHECKING:
    from fpdf import FPDF

HIGH = 34.0  # mm: the timeline
PICTURE = 28.0  # mm: a face
ACCENT, SHADE = (106, 61, 154), (245, 246, 247)
STEPS = 600  # points of a timeline


def write_pdf(path: Path, record: dict[str, Any], parts: Sequence[dict[str, Any]], folder: Path) -> None:
    """Write the report.

    Args:
        path: of the PDF.
        record: of the case, as `deepfake_cli.case.schema.Case` has it.
        parts: of the page, one per verdict, from `deepfake_cli.explain.page.part`.
        folder: of the case, with the pictures of the frames.
    """
    pdf = new_document(record)
    pdf.add_page()
    title = parts[0]["words"] if len(parts) == 1 else f"{len(parts):,} files judged"
    add_title(pdf, title)
    add_paragraph(pdf, f"Report of {tool()}, {record['created']} (UTC).", muted=True)
    add_paragraph(pdf, f"{CAUTION} The score is not the probability that the file was manipulated.")
    add_heading(pdf, "Detector")
    add_paragraph(pdf, record["detector"])
    if rates := overall(parts, record["rates"]):
        add_paragraph(pdf, rates)
    if record["terms"]:
        add_paragraph(pdf, record["terms"])
    add_paragraph(pdf, record["command"], mono=True, muted=True)
    if len(parts) > 1:
        add_heading(pdf, "Files")
        add_table(pdf, [(part["words"], f"{part['name']}{_short(part['verdict'])}") for part in parts])
    for part, entry in zip(parts, record["files"], strict=True):
        if len(parts) > 1:
            pdf.add_page()
        _file(pdf, part, entry, folder, verbal=record["settings"]["verbal"])
    pdf.output(str(path))


def _file(pdf: "FPDF", part: dict[str, Any], entry: dict[str, Any], folder: Path, *, verbal: bool) -> None:
    verdict: Verdict = part["verdict"]
    add_heading(pdf, f"{part['words']}: {part['name']}", large=True)
    add_paragraph(pdf, _said(verdict), bold=True)
    for note in [*verdict.notes, *(f"{count:,} not judged: {why}" for why, count in verdict.left_out.items())]:
        add_paragraph(pdf, f"• {note}")
    for line in verdict.record.origin_lines if verdict.record else ():
        add_paragraph(pdf, f"• {line}")
    if verdict.support:
        add_heading(pdf, "Likelihood ratio")
        for line in verdict.support.lines(verbal=verbal):
            add_paragraph(pdf, line)
    if verdict.errors:
        add_heading(pdf, "Error rates on files like this")
        add_paragraph(
            pdf, f"Of {verdict.errors.on}; with 95 % intervals over groups, none below ten groups.", muted=True
        )
        for line in verdict.errors.lines():
            add_paragraph(pdf, f"• {line}")
    faces = [face for face in verdict.faces if len(face.timeline) > 1 and len(face.timeline.judged)]
    if faces:
        add_heading(pdf, "Score of each frame, from 0 (real) to 1 (fake)", below=HIGH + 8)
        _timeline(pdf, faces[0].timeline, verdict)
    if entry["shown"]:
        add_heading(pdf, "Frames with the highest scores, and heat maps", below=2 * PICTURE + 8)
        _pictures(pdf, entry["shown"], folder)
        add_paragraph(
            pdf,
            "A heat map is coarse and does not prove a forgery at a place. PNG files of these frames are in the folder.",
            muted=True,
        )
    for title, rows in part["record"]:
        add_heading(pdf, title)
        add_table(pdf, rows)


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
    left, top = pdf.l_margin, reserve(pdf, HIGH + 8)
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
        top = reserve(pdf, PICTURE * (1 + heat) + 8)
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

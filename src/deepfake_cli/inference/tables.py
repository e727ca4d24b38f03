"""Tables of verdicts: the rows of ``--csv`` and ``--frames-csv``, and the HTML table of notebooks."""

from collections.abc import Iterator, Sequence
from html import escape
from typing import TYPE_CHECKING, Any

from deepfake_cli.inference.card_columns import CARD_COLUMNS, card_columns
from deepfake_cli.inference.record_words import RECORD_COLUMNS, record_columns
from deepfake_cli.storage.urls import url

if TYPE_CHECKING:
    from deepfake_cli.inference.result import Verdict


OWN_COLUMNS = (
    "path",
    "verdict",
    "score",
    "probability",
    "low",
    "high",
    "threshold",
    "frames",
    "reason",
    "seconds",
    "notes",
)
VERDICT_COLUMNS = (*OWN_COLUMNS, *CARD_COLUMNS, *RECORD_COLUMNS)  # of ``--csv``
FRAME_COLUMNS = ("path", "face", "frame", "time", "score", "box")


def row(verdict: "Verdict") -> dict[str, Any]:
    """The row of a verdict for ``--csv``."""
    facts = verdict.facts()
    own = {name: facts[name] for name in OWN_COLUMNS[:-1]} | {"notes": "; ".join(verdict.notes)}
    return own | card_columns(verdict.support, verdict.errors) | record_columns(verdict.record)


def frame_rows(verdict: "Verdict") -> Iterator[dict[str, Any]]:
    """The rows of a verdict for ``--frames-csv``."""
    for number, face in enumerate(verdict.faces):
        for index in range(len(face.timeline)):
            moment = face.timeline[index]
            yield {
                "path": url(verdict.path),
                "face": number,
                "frame": moment.frame,
                "time": round(verdict.times[moment.frame], 3) if verdict.times else "",
                "score": "" if moment.score != moment.score else round(moment.score, 4),
                "box": moment.box.text,
            }


def html_table(verdicts: "Sequence[Verdict]") -> str:
    """The verdicts as an HTML table, for notebooks."""
    rows = []
    for verdict in verdicts:
        ends = f" ({verdict.interval[0]:.2f}–{verdict.interval[1]:.2f})" if verdict.interval else ""
        score = "" if verdict.score is None else f"{verdict.score:.2f}{ends}"
        cells = (url(verdict.path), verdict.label, score, f"{verdict.frames:,}", verdict.reason)
        rows.append("<tr>" + "".join(f"<td>{escape(str(cell))}</td>" for cell in cells) + "</tr>")
    head = "".join(f"<th>{name}</th>" for name in ("file", "verdict", "score", "frames", "reason"))
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"

"""``compare.html``: one file, with its pictures in it, that opens anywhere."""

import base64
from html import escape
from pathlib import Path
from typing import Any

import cv2

from deepfake_cli.media.video import read_image
from deepfake_cli.metrics.names import FIGURES

SIDE = 96  # pixels of a thumbnail
STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; color: #202124; }
table { border-collapse: collapse; margin: 1rem 0; } caption { text-align: left; font-weight: 600; padding: .4rem 0; }
th, td { padding: .25rem .8rem; border-bottom: 1px solid #dadce0; text-align: right; vertical-align: middle; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; } .sure { font-weight: 600; }
.real { color: #0072B2; } .fake { color: #D55E00; } .note { color: #5f6368; } img { display: inline-block; margin: 1px; }
td.images { text-align: left; } code { overflow-wrap: anywhere; }
"""


def page(found: dict[str, Any]) -> str:
    """What `deepfake_cli.commands.compare.compare` found, as HTML."""
    coverage, interval = found["coverage"], found["interval"]
    parts = [
        "<h1>Two detectors compared</h1>",
        f"<p>A: <code>{escape(found['a'])}</code><br>B: <code>{escape(found['b'])}</code></p>",
        f"<p>{coverage['both']:,} rows in both, {coverage['only_a']:,} in A only, {coverage['only_b']:,} in B only.</p>",
        *(f'<p class="note">{escape(note)}</p>' for note in found["notes"]),
        _level(found, "frame"),
        _level(found, "video"),
        f'<p class="note">Differences are A less B, with 95 % intervals ({escape(interval["method"])}) from '
        f"{interval['resamples']:,} resamples of {interval['units']:,} {interval['unit']}s, the same for both. Bold: the "
        "interval leaves 0 out. One in twenty figures does so by chance.</p>",
        _disagree(found["disagree"]),
    ]
    head = f'<meta charset="utf-8"><title>Two detectors compared</title><style>{STYLE}</style>'
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n' + "\n".join(parts) + "\n</body></html>\n"


def _level(found: dict[str, Any], level: str) -> str:
    figures = found[level]
    rows = [
        f"<tr><td>{name}</td><td>{figures[key]['a']:.3f}</td><td>{figures[key]['b']:.3f}</td>{_difference(figures[key])}</tr>"
        for key, (name, _) in FIGURES.items()
    ]
    caption = f"{level.capitalize()}s: {figures['real']:,} real, {figures['fake']:,} fake"
    test = figures["auc"]["delong"]
    said = ""
    if test["p"] is not None:
        said = f'<p class="note">DeLong: z {test["z"]:.2f}, p {test["p"]:.2g}, {level}s taken as independent.</p>'
    header = "<tr><th></th><th>A</th><th>B</th><th>A − B</th><th>95 % interval</th></tr>"
    return f"<table><caption>{caption}</caption>{header}{''.join(rows)}</table>{said}"


def _difference(figure: dict[str, Any]) -> str:
    if figure["low"] is None:
        return f"<td>{figure['difference']:+.3f}</td><td>–</td>"
    sure = ' class="sure"' if figure["low"] > 0 or figure["high"] < 0 else ""
    return f"<td{sure}>{figure['difference']:+.3f}</td><td>{figure['low']:+.3f} to {figure['high']:+.3f}</td>"


def _disagree(rows: list[dict[str, Any]]) -> str:
    if not rows:
        return ""
    cells = [
        f'<tr><td>{escape("/".join(filter(None, (row["dataset"], row["video"]))))}</td><td class="{row["label"]}">'
        f'{row["label"]}</td><td>{row["a"]:.3f}</td><td>{row["b"]:.3f}</td><td class="images">'
        f"{''.join(map(_image, row['images']))}</td></tr>"
        for row in rows
    ]
    header = "<tr><th></th><th></th><th>A</th><th>B</th><th></th></tr>"
    return f"<table><caption>Where they disagree most, by video</caption>{header}{''.join(cells)}</table>"


def _image(path: str) -> str:
    """A thumbnail as part of the page; nothing where the image can't be read."""
    image = read_image(Path(path))
    if image is None:
        return ""
    scale = SIDE / max(image.shape[:2])
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    data = base64.b64encode(cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()).decode()
    return f'<img alt="" src="data:image/jpeg;base64,{data}">'

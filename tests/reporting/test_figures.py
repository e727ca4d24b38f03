"""``--figures``: every plot in every format, whole; and colours that nobody confuses."""

from itertools import combinations, pairwise

import cv2
import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError

from deepfake_cli.commands.compare import compare
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Compare, Evaluate
from deepfake_cli.config.base import PLOT_FORMATS
from deepfake_cli.reporting import compare_plots, page, style
from deepfake_cli.reporting.figures import results
from deepfake_cli.reporting.figures.matrix import heat_map
from deepfake_cli.reporting.figures.reliability import reliability_diagram
from deepfake_cli.reporting.figures.robustness import robustness_plot

MAGIC = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF"}
AUC = {"value": 0.8, "low": 0.7, "high": 0.9, "spread": None}
# Machado, Oliveira and Fernandes (2009): dichromats, on linear RGB
SIGHT = {
    "all": np.eye(3),
    "protan": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deutan": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritan": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}


def check(files) -> None:
    """Each file is what its suffix says, and a PNG has 300 dpi."""
    for file in files:
        assert file.read_bytes().startswith(MAGIC[file.suffix[1:]]), file
        if file.suffix == ".png":
            assert Image.open(file).info["dpi"] == pytest.approx((300, 300), abs=0.5)


@pytest.fixture
def scores(tmp_path):
    rows = [f"d/v{n // 4},{n},{('real', 'fake')[n % 8 // 4]},{(n * 37 % 100) / 100}\n" for n in range(96)]
    (tmp_path / "scores.csv").write_text("video,frame,label,score\n" + "".join(rows))
    return tmp_path / "scores.csv"


@pytest.mark.slow
def test_evaluate_and_compare_write_every_plot(scores, tmp_path):
    words = {"resamples": 20, "figures": "svg, pdf,png"}
    result = evaluate(Evaluate(predictions=scores, output=tmp_path / "e", report=False, **words))
    assert {file.name for file in result.figures} == {f"{name}.{kind}" for name in page.PLOTS for kind in PLOT_FORMATS}
    other = compare(Compare(a=scores, b=scores, output=tmp_path / "c", **words))
    names = {f"{name}.{kind}" for name in compare_plots.NAMES for kind in PLOT_FORMATS}
    assert {file.name for file in other.figures} == names
    check([*result.figures, *other.figures])
    first = (tmp_path / "e" / "roc.svg").read_bytes()
    again = evaluate(Evaluate(predictions=scores, output=tmp_path / "e", report=False, resamples=20, figures="svg"))
    assert (tmp_path / "e" / "roc.svg").read_bytes() == first  # the same data, the same bytes
    assert "Removed, since they are of an earlier evaluation: roc.png" in again.notes[-1]
    assert not list((tmp_path / "e").glob("*.pdf"))


@pytest.mark.slow
def test_other_plots_have_every_format(tmp_path):
    bins = [{"low": 0.0, "high": 0.5, "n": 3, "score": 0.2, "fake": 0.1}]
    errors = dict.fromkeys(("ece", "brier", "log_loss"), 0.1)
    reliability_diagram(
        tmp_path / "reliability.png", [{"title": "t", "bins": bins, "errors": errors}], "x", ("svg", "pdf")
    )
    steps = [
        {"change": name, "strength": n, "parameter": f"q {n}", **{k: {"n": 2, "auc": AUC} for k in ("frame", "video")}}
        for n, name in enumerate(("none", "jpeg", "jpeg"))
    ]
    robustness_plot(tmp_path / "robustness.png", steps, ("svg", "pdf"))
    cell = {"row": "a", "column": "b", "seen": "train", "units": 20, "frame": {"auc": AUC}, "video": {"auc": AUC}}
    heat_map(tmp_path / "matrix.png", {"rows": ["a"], "columns": ["b"], "seeds": 1, "cells": [cell]}, ("svg", "pdf"))
    files = [tmp_path / f"{name}.{kind}" for name in ("reliability", "robustness", "matrix") for kind in PLOT_FORMATS]
    check(files)
    for name in ("reliability", "robustness", "matrix"):
        drawn = (tmp_path / f"{name}.svg").read_text()
        assert style.REAL not in drawn and style.FAKE not in drawn, name  # they mean real and fake


@pytest.mark.parametrize(("loss", "auc"), [(3.2e-5, 0.9999985), (0.7, 0.5), (123.4, 0.98765), (1.0, 1.0)])
def test_numbers_and_titles_of_a_training_lie_within_its_picture(tmp_path, monkeypatch, loss, auc):
    """Without a layout engine nothing else makes room for them."""
    drawn = []
    monkeypatch.setattr(results, "save", lambda figure, path: drawn.append(figure))
    rows = [
        {"epoch": n, "loss": loss / n, "accuracy": auc, "val_auc": auc - n * 1e-6, "lr": 1.3e-6 / n}
        for n in range(1, 9)
    ]
    results.results_plot(tmp_path / "results.png", rows, 3)
    (figure,) = drawn
    figure.canvas.draw()
    assert not any(axes.yaxis.get_offset_text().get_text() for axes in figure.axes)
    boxes = [axes.get_tightbbox() for axes in figure.axes]
    assert all(box.x0 >= 0 and box.y0 >= 0 and box.x1 <= 1360 and box.y1 <= 300 for box in boxes), boxes
    assert all(left.x1 < right.x0 for left, right in pairwise(boxes)), boxes
    for axes in figure.axes[1:3]:
        low, high = axes.get_ylim()
        assert 0 <= low < high <= 1, axes.get_title()


@pytest.mark.parametrize("text", ["gif", "svg,gif", "svg pdf"])
def test_unknown_format_is_an_error(text):
    with pytest.raises(ValidationError, match="choose from png, svg, pdf, comma-separated"):
        Evaluate(figures=text)
    assert Evaluate(figures=" SVG,pdf,svg").plot_formats == ("svg", "pdf") and Evaluate().plot_formats == ()


@pytest.mark.parametrize("sight", SIGHT)
def test_colours_differ_for_all_eyes(sight):
    """CIELAB distance of 15 at least between colours of one plot, and all can be told from white."""
    groups = [(style.REAL, style.FAKE), (style.ACCENT, style.SECOND), (style.ACCENT, style.GREY)]
    for one, other in (pair for group in groups for pair in combinations((*group, "#ffffff"), 2)):
        assert np.linalg.norm(seen(one, sight) - seen(other, sight)) > 15, (one, other)


def seen(colour: str, sight: str) -> np.ndarray:
    rgb = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
    linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
    changed = np.clip(np.asarray(SIGHT[sight]) @ linear, 0, 1).astype(np.float32)
    return cv2.cvtColor(changed[None, None], cv2.COLOR_LRGB2Lab)[0, 0]

"""`evaluate --predictions` and `compare` on files, ours or anyone's."""

import json
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as sk

from deepfake_cli.commands.compare import compare
from deepfake_cli.commands.evaluate import evaluate
from deepfake_cli.config import Compare, Evaluate
from deepfake_cli.errors import DeepfakeError
from deepfake_cli.metrics.interval import intervals
from tests.metrics.test_metrics import clustered


@pytest.fixture
def ours():
    """Predictions as we write them."""
    frames = clustered(12, length=4)
    words = frames["label"].map({0: "real", 1: "fake"})
    number = np.arange(len(frames)) % 4
    path = frames["video"] + "/" + pd.Series(number).astype(str) + ".jpg"
    return frames.assign(path=path, frame=number, label=words)


def measured(tmp_path, table, **settings):
    file = tmp_path / "p.csv"
    table.to_csv(file, index=False)
    return evaluate(Evaluate(predictions=file, output=tmp_path / "out", resamples=20, **settings))


@pytest.mark.slow
def test_own_predictions_give_the_same_metrics(tmp_path, ours):
    first = measured(tmp_path, ours)
    file = tmp_path / "out" / "predictions.csv"
    again = evaluate(Evaluate(predictions=file, output=tmp_path / "again", resamples=20))
    skip = ("lists", "notes")
    assert {key: value for key, value in again.metrics.items() if key not in skip} == {
        key: value for key, value in first.metrics.items() if key not in skip
    }
    assert pd.read_csv(file)["score"].tolist() == pytest.approx(ours["score"].tolist())
    assert json.loads((tmp_path / "out" / "metrics.json").read_text()) == first.metrics


@pytest.mark.parametrize("words", [("real", "fake"), ("0", "1"), ("0.0", "1.0"), ("False", "True"), (" REAL", "Fake ")])
def test_columns_and_labels_of_other_tools(tmp_path, ours, words):
    theirs = pd.DataFrame(
        {
            "clip": ours["video"],
            "target": (ours["label"] == "fake").astype(int).map(dict(enumerate(words))),
            "prob": ours["score"],
        }
    )
    found = measured(tmp_path, theirs, columns="score=prob, label=target,video=clip", report=False)
    assert found.metrics["frame"]["auc"]["value"] == pytest.approx(
        sk.roc_auc_score(ours["label"] == "fake", ours["score"])
    )
    assert found.metrics["interval"]["unit"] == "group"
    assert found.metrics["interval"]["units"] == ours["video"].nunique()
    assert any("no column group" in note for note in found.notes)


def test_rows_without_a_video_are_units(tmp_path, ours):
    found = measured(tmp_path, ours[["label", "score"]])
    assert found.metrics["interval"]["units"] == found.metrics["video"]["n"] == len(ours)
    assert found.metrics["frame"] == found.metrics["video"]
    assert any("no column video" in note for note in found.notes)


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.rename(columns={"score": "prob"}), "no column 'score'; found 'dataset'.*--columns"),
        (lambda t: t.assign(score="high"), "score 'high' in row 2, one of 96"),
        (lambda t: t.assign(score=[2.5, *t["score"][1:]]), "score '2.5' in row 2.*sigmoid"),
        (lambda t: t.assign(score=np.nan), "no row has a score"),
        (lambda t: t.assign(label=["cat", *t["label"][1:]]), "label 'cat' in row 2; allowed: real, fake"),
        (lambda t: t.assign(label=[None, *t["label"][1:]]), "in row 2; allowed: real, fake"),
        (lambda t: t.assign(video=[None, *t["video"][1:]]), "row 2 has no video"),
        (lambda t: t[t["label"] == "real"], "all real"),
        (lambda t: t.iloc[:0], "only a header"),
        (lambda t: t.assign(group=np.arange(len(t))), "several for '0-0'"),
    ],
)
def test_bad_file_raises(tmp_path, ours, spoil, message):
    with pytest.raises(DeepfakeError, match=message):
        measured(tmp_path, spoil(ours))


@pytest.mark.parametrize("text", ["score", "sore=prob", "score="])
def test_bad_mapping_raises(tmp_path, ours, text):
    with pytest.raises(DeepfakeError, match="expected OURS=THEIRS"):
        measured(tmp_path, ours, columns=text)


@pytest.mark.parametrize("content", [b"", b"\xff\xfe\x00", b"a,b\n1\n", b"score,score,label\n1,1,1\n"])
def test_non_csv_raises(tmp_path, content):
    (tmp_path / "p.csv").write_bytes(content)
    with pytest.raises(DeepfakeError, match=r"p\.csv"):
        evaluate(Evaluate(predictions=tmp_path / "p.csv", output=tmp_path))


@pytest.mark.parametrize(("how", "videos"), [("skip", 23), ("half", 24), ("fail", 24)])
def test_rows_without_a_score_are_errors(tmp_path, ours, how, videos):
    scores = ours["score"].where((ours["video"] != "3-1") & (ours.index != 0))
    found = measured(tmp_path, ours.assign(score=scores), missing=how, report=False).metrics
    assert (found["errors"]["videos"], found["errors"]["rows"], found["video"]["n"]) == (1, 5, videos)
    assert found["errors"]["listed"] == [
        {"dataset": "toy", "video": "3-1", "label": "fake", "reason": "no score in the file"}
    ]


@pytest.mark.slow
def test_no_tensorflow_for_files(tmp_path, ours):
    ours.to_csv(tmp_path / "p.csv", index=False)
    code = (
        "import sys; from deepfake_cli.cli import app\n"
        "try: app(sys.argv[1:])\n"
        "finally: print([name for name in ('tensorflow', 'keras') if name in sys.modules])"
    )
    for arguments in (("evaluate", "--predictions", "p.csv", "--resamples", "5"), ("compare", "p.csv", "p.csv")):
        done = subprocess.run([sys.executable, "-c", code, *arguments], cwd=tmp_path, capture_output=True, text=True)
        assert done.stdout.rstrip().endswith("[]"), done.stdout + done.stderr


def test_the_table_fits_in_80_columns(tmp_path, ours, deepfake):
    ours.assign(dataset=np.where(ours["group"].astype(int) < 6, "a", "b")).to_csv(tmp_path / "p.csv", index=False)
    done = deepfake("evaluate", "--predictions", "p.csv", "--resamples", "50", "--interval", "bca", COLUMNS="80")
    assert "95 % intervals (BCa): 50 resamples of 12 groups." in done.stdout
    assert re.search(r"AUC +0\.\d{3} \(\.\d{3}–[.\d]+\) +0", done.stdout), done.stdout  # a line for each figure
    assert re.search(r"dataset +a +6 +6 ", done.stdout), done.stdout


@pytest.fixture
def pair(tmp_path, ours):
    """Two detectors: the second is worse, and lacks the last group."""
    noise = np.random.default_rng(5).normal(0, 0.2, len(ours))
    other = ours.assign(score=(ours["score"] + noise).clip(0, 1))
    ours.to_csv(tmp_path / "a.csv", index=False)
    other[other["group"] != "11"].to_csv(tmp_path / "b.csv", index=False)
    return tmp_path / "a.csv", tmp_path / "b.csv"


def test_compare_uses_the_shared_rows(tmp_path, ours, pair):
    found = compare(Compare(a=pair[0], b=pair[1], resamples=50, output=tmp_path / "out")).comparison
    assert found["coverage"] == {"both": 88, "only_a": 8, "only_b": 0}
    assert any("8 rows are in the first file only" in note for note in found["notes"])
    shared = [pd.read_csv(file).query("group != 11") for file in pair]
    for side, table in zip("ab", shared, strict=True):
        assert found["frame"]["auc"][side] == pytest.approx(sk.roc_auc_score(table["label"] == "fake", table["score"]))
    auc = found["video"]["auc"]
    assert auc["low"] <= auc["difference"] <= auc["high"]
    assert found["disagree"][0]["difference"] == max((r["difference"] for r in found["disagree"]), key=abs)
    page = (tmp_path / "out" / "compare.html").read_text()
    assert found["disagree"][0]["video"] in page
    assert json.loads((tmp_path / "out" / "compare.json").read_text()) == found


@pytest.mark.slow
def test_compare_carries_the_notes_of_both_evaluations(tmp_path, ours):
    """What a metric can be quoted for is said of the difference, too; what holds for both is said once."""
    for name, notes in (("a", ["3 of 12 groups were trained on", "The same"]), ("b", ["The same"])):
        (tmp_path / name).mkdir()
        measured(tmp_path / name, ours)
        path = tmp_path / name / "out" / "metrics.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | {"notes": notes, "threshold": 0.6}))
    a, b = (tmp_path / name / "out" / "predictions.csv" for name in "ab")
    notes = compare(Compare(a=a, b=b, threshold=0.6, threshold_b=0.5, resamples=20)).comparison["notes"]
    assert notes[:3] == [
        "A: 3 of 12 groups were trained on", "A and B: The same",
        "B: Evaluated at threshold 0.600, compared at 0.500: set it with --threshold or --threshold-b.",
    ]  # fmt: skip
    assert "too few reals: TPR at 0.1 % needs 1,000 reals (frames 48, videos 12)" in notes[3]


@pytest.mark.slow
def test_few_groups_have_no_interval_and_no_star(tmp_path, ours, deepfake):
    ours = ours[ours["group"].astype(int) < 9]
    ours.to_csv(tmp_path / "a.csv", index=False)
    ours.assign(score=1 - ours["score"]).to_csv(tmp_path / "b.csv", index=False)
    why = "No intervals: 9 independent groups, at least 10 are needed."
    for command in (("evaluate", "--predictions", "a.csv"), ("compare", "a.csv", "b.csv", "--output", "compared")):
        done = deepfake(*command)
        assert not re.search(r"0\.\d+–|\d to [-+]|\*|DeLong|resamples", done.stdout), done.stdout
        assert why in " ".join(done.stderr.split())
    for page in ("evaluation/report.html", "compared/compare.html"):
        text = (tmp_path / page).read_text()
        assert why in text and "95 % intervals" not in text and 'class="significant"' not in text


def test_same_predictions_have_no_difference(pair):
    for interval in ("percentile", "bca"):
        found = compare(Compare(a=pair[0], b=pair[0], resamples=30, interval=interval)).comparison
        ends = [
            found[level][key][end] for level in ("frame", "video") for key in ("auc", "ece") for end in ("low", "high")
        ]
        assert ends == [0.0] * 8


def test_pairing_narrows_the_interval(ours, pair):
    close = ours.assign(score=(ours["score"] * 0.98 + 0.01))
    close.loc[close.index % 7 == 0, "score"] = 0.5
    close.to_csv(pair[1], index=False)
    paired = compare(Compare(a=pair[0], b=pair[1], resamples=200)).comparison["frame"]["auc"]
    alone = intervals(ours["label"] == "fake", ours["score"], 0.5, ours["group"], 200)["auc"]
    assert paired["high"] - paired["low"] < 0.5 * (alone.high - alone.low)


def test_rows_may_differ_in_order_and_column_names(ours, pair):
    theirs = ours.sample(frac=1, random_state=2).rename(columns={"path": "file", "score": "p", "label": "y"})
    theirs[["file", "p", "y"]].to_csv(pair[1], index=False)
    settings = Compare(a=pair[0], b=pair[1], columns_b="path=file,score=p,label=y", resamples=10)
    found = compare(settings).comparison
    assert found["key"] == ["path"]
    assert found["frame"]["auc"]["difference"] == 0


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda t: t.assign(path="x/" + t["path"], video="x" + t["video"]), "share no path"),
        (lambda t: t.assign(label=np.where(t["label"] == "fake", "real", "fake")), "96 rows have different labels"),
        (lambda t: t[["label", "score"]], "cannot match the rows"),
    ],
)
def test_files_without_shared_rows_raise(ours, pair, spoil, message):
    spoil(ours).to_csv(pair[1], index=False)
    with pytest.raises(DeepfakeError, match=message):
        compare(Compare(a=pair[0], b=pair[1], resamples=5))


def test_names_that_look_like_nothing_are_names(tmp_path, ours):
    """A group, video or method called None, null or nan is one like any other; only a score may be none."""
    words = dict(zip(sorted(ours["group"].unique()), ["None", "null", "nan", "NaN", "NA", "N/A"], strict=False))
    table = ours.assign(group=ours["group"].replace(words), method="None")
    table["video"] = table["group"] + "/" + table["video"]
    plain, names = (measured(tmp_path, each, report=False).metrics for each in (ours, table))
    for level in ("frame", "video"):
        assert names[level]["n"] == plain[level]["n"]
        assert names[level]["auc"]["value"] == plain[level]["auc"]["value"]
    again = evaluate(Evaluate(predictions=tmp_path / "out" / "predictions.csv", output=tmp_path / "a", resamples=20))
    assert again.metrics["frame"] == names["frame"]
    written = pd.read_csv(tmp_path / "a" / "predictions.csv", keep_default_na=False, dtype=str)
    assert set(written["group"]) == set(table["group"]) >= set(words.values())
    for word in ("None", "NULL", " nan ", ""):
        table["score"] = table["score"].astype(str).mask(table.index == 0, word)
        assert measured(tmp_path, table, report=False).metrics["frame"]["n"] == len(table) - 1, word

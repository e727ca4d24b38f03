"""The report is self-contained, runs no scripts, and shows the metrics."""

import html.parser
import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepfake_cli import reporting
from deepfake_cli.data import manifest
from deepfake_cli.errors import ManifestError
from deepfake_cli.metrics.assess import assess
from deepfake_cli.reporting import summary
from deepfake_cli.reporting.folder import from_folder, save_maps
from deepfake_cli.reporting.heat_map import overlay
from deepfake_cli.reporting.worst_faces import worst
from deepfake_cli.storage import files

EVIL = "<script>alert(1)</script>"
LATER = {"value": 0.7, "low": 0.6, "high": 0.8}  # a metric that only newer metrics.json files have


@pytest.fixture(scope="module")
def table(frames_of_uadfv) -> pd.DataFrame:
    """The frames of the small UADFV with noisy scores."""
    frames = manifest.read_lists([frames_of_uadfv / "manifest.csv"])
    noise = np.random.default_rng(0).normal(0, 0.3, len(frames))
    return frames.assign(score=np.clip(0.3 + 0.4 * frames["label"] + noise, 0, 1))


def evaluation(folder: Path, table: pd.DataFrame, **more) -> Path:
    """Write the files of `deepfake evaluate` for a table."""
    found = {"snapshot": "best.keras", "lists": {"test.csv": "0" * 32}, **assess(table, 0.5, 50), "notes": []}
    columns = ["path", "dataset", "group", "video", "frame", "label", "score"]
    folder.mkdir(exist_ok=True, parents=True)
    table.assign(label=table["label"].map({0: "real", 1: "fake"}))[columns].to_csv(
        folder / "predictions.csv", index=False
    )
    files.write_text(folder / "metrics.json", json.dumps(found | more))
    return folder


def full(folder: Path, table: pd.DataFrame, text: str) -> Path:
    """An evaluation with every optional part, and `text` wherever text comes from outside."""
    image = folder / f"{text}.jpg"
    image.parent.mkdir(parents=True)
    shutil.copyfile(table["path"].iloc[0], image)
    named = table.astype({"group": str, "video": str, "dataset": str})
    named = named.assign(group=named["group"] + text, video=named["video"] + text, dataset=text, path=str(image))
    part = {"frame": {"real": 3, "fake": 4, "auc": LATER, "accuracy": LATER}, "video": {}}
    evaluation(
        folder, named, snapshot=text, lists={text: text}, notes=[text], calibration={"method": text}, pool="mean", missing="half",
        errors={"videos": 1, "listed": [{"dataset": text, "video": text, "label": "fake", "reason": text}]},
        slices=[{"by": by, "value": f"{text}{n}", **part} for by in ("method", "quality", "group") for n in range(2)],
        robustness=[
            {"change": text, "strength": n, "parameter": text, "frame": {"auc": LATER}, "video": {"auc": LATER}} for n in (1, 2)
        ],
    )  # fmt: skip
    save_maps(folder, {str(image): np.eye(8)})
    trained = {"command": text, "seed": 0, "snapshot": text, "versions": {text: text}, "trained": {text: text}}
    files.write_text(folder / "evaluation.json", json.dumps(trained))
    parts = [{"part": text, "class": "real", "images": 3, "videos": 2, "groups": 1}]
    audit = {"lists": {"a.csv": text}, "warnings": [text], "notes": [text], "counts": {"parts": parts}}
    files.write_text(
        folder / "audit.json", json.dumps(audit | {"baselines": {"images": {"auc": 0.9, "low": 0.8, "high": 1}}})
    )
    return folder


class Page(html.parser.HTMLParser):
    """A page's tags with their attributes, and its text."""

    def __init__(self, path: Path):
        super().__init__()
        self.tags, self.text, self.source = [], [], path.read_text()
        self.feed(self.source)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data):
        self.text.append(data)

    def all(self, name: str) -> list[dict]:
        return [attributes for tag, attributes in self.tags if tag == name]

    def values(self, *names: str) -> list[str]:
        return [value for _, attributes in self.tags for name, value in attributes.items() if name in names]


@pytest.fixture(scope="module")
def evil(tmp_path_factory, table) -> Page:
    return Page(from_folder(full(tmp_path_factory.mktemp("evil") / "evaluation", table, EVIL)))


def test_page_makes_no_requests(evil):
    assert evil.values("src") and all(value.startswith("data:image/jpeg;base64,") for value in evil.values("src"))
    assert all(value.startswith("#") for value in evil.values("href", "xlink:href"))
    assert set(re.findall(r"url\((.)", evil.source)) <= {"#"} and "@import" not in evil.source
    assert not {"script", "link", "iframe", "object", "embed", "form"} & {tag for tag, _ in evil.tags}
    (policy,) = [each["content"] for each in evil.all("meta") if each.get("http-equiv") == "Content-Security-Policy"]
    assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"


def test_names_are_escaped(evil):
    text = "".join(evil.text)
    assert text.count(EVIL) > 30 and "<script" not in evil.source
    assert not [name for _, attributes in evil.tags for name in attributes if name.startswith("on")]
    for heading in (
        "By method",
        "By quality",
        "Robustness",
        "Worst errors",
        "groups in the audited lists",
        "without a score",
    ):
        assert heading in text


def test_page_is_accessible(evil):
    assert evil.all("html")[0]["lang"] == "en" and len(evil.all("h1")) == 1
    assert all(evil.all(name) for name in ("header", "nav", "main", "footer", "title"))
    assert all(image["alt"] for image in evil.all("img"))
    pictures = [each for each in evil.all("svg") if each.get("aria-hidden") != "true"]
    ids = evil.values("id")
    assert len(ids) == len(set(ids))
    named = [name for each in [*pictures, *evil.all("section")] for name in each["aria-labelledby"].split()]
    assert len(pictures) == 6 and set(named) <= set(ids)
    assert {value[1:] for value in evil.values("href", "xlink:href")} <= set(ids)
    assert all(each.get("scope") in ("col", "row") for each in evil.all("th"))
    assert len(evil.all("caption")) == len(evil.all("table")) > 5


def test_colours_have_contrast():
    """WCAG 2: 4.5 for text."""
    text = (Path(reporting.__file__).parent / "report.css").read_text()
    for palette in re.findall(r":root \{(.*?)\}", text, re.DOTALL):
        colours = dict(re.findall(r"--(\w+): (#\w{6})", palette))
        for ground in ("paper", "raised"):
            for ink in ("ink", "muted", "real", "fake", "accent"):
                assert contrast(colours[ink], colours[ground]) >= 4.5, (ink, ground)
        assert min(contrast(colours["ink"], colours[ground]) for ground in ("good", "bad")) >= 4.5


def contrast(one: str, other: str) -> float:
    def luminance(colour: str) -> float:
        parts = np.array([int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)])
        return float(
            np.where(parts <= 0.04045, parts / 12.92, ((parts + 0.055) / 1.055) ** 2.4) @ [0.2126, 0.7152, 0.0722]
        )

    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_browser_console_is_empty(evil, tmp_path, chromium):
    def console(source: str) -> str:
        (tmp_path / "page.html").write_text(source)
        done = subprocess.run(
            [chromium, "--headless", "--no-sandbox", "--disable-gpu", "--enable-logging=stderr", "--v=0", "--dump-dom",
             "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={tmp_path}/browser", (tmp_path / "page.html").as_uri()],
            capture_output=True, text=True, timeout=120,
        )  # fmt: skip
        assert "</html>" in done.stdout
        return "\n".join(line for line in done.stderr.splitlines() if "CONSOLE" in line)

    assert console(evil.source) == ""
    loud = evil.source.replace("</main>", '<img src="https://example.com/x.png"><script>alert(1)</script></main>')
    assert "Content Security Policy" in console(loud)  # which forbids both


def test_optional_parts_may_be_missing(tmp_path, table):
    page = Page(from_folder(evaluation(tmp_path / "old", table)))
    text = "".join(page.text)
    assert "By group" in text and "Robustness" not in text and "No audit of these lists" in text
    assert len(page.all("img")) <= 12 and not any("Heat map" in image["alt"] for image in page.all("img"))


def test_scores_of_a_file_need_no_images(tmp_path, table):
    folder = evaluation(tmp_path / "others", table, snapshot=None)
    predictions = pd.read_csv(folder / "predictions.csv").drop(columns=["path", "frame"])
    predictions.to_csv(folder / "predictions.csv", index=False)
    page = Page(from_folder(folder))
    assert "scores were read from a file" in "".join(page.text) and not page.all("img")


@pytest.mark.slow
def test_audit_of_other_lists_is_shown_only_if_given(tmp_path, table):
    folder = evaluation(tmp_path / "evaluation", table)
    files.write_text(tmp_path / "audit" / "audit.json", json.dumps({"lists": {"a": "b"}, "warnings": ["mind the gap"]}))
    assert "mind the gap" not in from_folder(folder).read_text()
    asked = from_folder(folder, tmp_path / "p.html", audit=tmp_path / "audit" / "audit.json")
    assert "mind the gap" in asked.read_text()
    files.write_text(
        tmp_path / "audit" / "audit.json", json.dumps({"lists": {"a": "0" * 32}, "warnings": ["mind the gap"]})
    )
    assert "mind the gap" in from_folder(folder).read_text()


def test_summary_and_limits_have_the_numbers():
    auc = {"value": 0.986, "low": 0.922, "high": 1.0}
    level = {"n": 18, "real": 9, "fake": 9, "auc": auc}
    confusion = {"real_as_real": 9, "real_as_fake": 0, "fake_as_real": 1, "fake_as_fake": 8}
    level["confusion"] = confusion
    interval = {"level": 0.95, "resamples": 1000, "unit": "group", "units": 12}
    found = {"threshold": 0.5, "frame": level | {"n": 400}, "video": level, "interval": interval}
    first, chance, calls, _ = summary.summary(found)
    for part in ("18 videos", "9 real", "9 fake", "400 frames", "0.986", "0.922–1.000", "1,000 resamples", "12 groups"):
        assert part in first
    assert "99 of 100" in chance
    assert "17 of 18 videos" in calls and "0 of 9 reals are" in calls and "1 of 9 fakes are" in calls
    limits = " ".join(summary.limits(found))
    assert "up to 28 %" in limits and "No intervals" not in limits and "better than chance" not in limits
    level["confusion"] = confusion | {"real_as_real": 8, "real_as_fake": 1}  # 0.01 * 8/9 to 0.99 * 1/9
    assert "7 of 100 videos called fake" in " ".join(summary.limits(found))
    auc["low"] = 0.4
    assert "better than chance" in " ".join(summary.limits(found))


def test_worst_errors_are_ordered_one_per_video():
    rows = pd.DataFrame(
        {"dataset": "d", "video": list("aabbcd"), "label": [0, 0, 1, 1, 0, 1], "score": [0.9, 0.95, 0.1, 0.4, 0.2, 0.5]}
    )
    assert worst(rows, 0.5)["score"].tolist() == [0.95, 0.1]
    assert worst(rows, 0.6)["score"].tolist() == [0.1, 0.95, 0.5]
    assert len(worst(rows, 0.6, 1)) == 1


def test_overlay_is_brighter_where_the_map_is_higher():
    image = np.full((40, 60, 3), 128, np.uint8)
    drawn = overlay(image, np.linspace(0, 1, 60)[None].repeat(40, 0)).astype(int)
    assert drawn.shape == image.shape
    brightness = drawn[20] @ [0.114, 0.587, 0.299]
    assert (np.diff(brightness) > -1.5).all() and brightness[-1] > brightness[0] + 100


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("metrics.json", None, "no such file. Run deepfake evaluate"),
        ("metrics.json", "{", "invalid JSON in line 1"),
        ("metrics.json", "[]", "found []; expected an object"),
        ("metrics.json", '{"threshold": 0.5}', "frame: missing"),
        ("predictions.csv", None, "no such file"),
        ("predictions.csv", "path,label\n", "found no dataset"),
        ("predictions.csv", "path,dataset,group,video,frame,label,score\n", "found no row"),
        (
            "predictions.csv",
            "path,dataset,group,video,frame,label,score\na,b,c,d,0,maybe,0.5\n",
            "line 2: found label 'maybe'",
        ),
    ],
)
def test_bad_folder_is_an_error_that_names_the_file(tmp_path, table, name, text, message):
    folder = evaluation(tmp_path / "e", table)
    (folder / name).unlink() if text is None else (folder / name).write_text(text)
    with pytest.raises(ManifestError, match=re.escape(message)):
        from_folder(folder)
    assert not (folder / "report.html").exists()


@pytest.mark.slow
def test_commands_write_the_page(tmp_path, deepfake, frames_of_uadfv):
    import keras
    from keras import layers

    keras.utils.set_random_seed(0)
    inputs = keras.Input((32, 32, 3))
    x = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3)(layers.Rescaling(1 / 255)(inputs)))
    keras.Model(inputs, layers.Dense(1, "sigmoid", name="probability")(x)).save(tmp_path / "m.keras")
    lists = frames_of_uadfv / "manifest.csv"
    assert "report.html" in deepfake("evaluate", lists, "m.keras", "--resamples", 20, "--threshold", 0.5).stdout
    page = Page(tmp_path / "evaluation" / "report.html")
    assert [image for image in page.all("img") if image["alt"].startswith("Heat map")]
    assert f"deepfake evaluate {lists} m.keras --threshold 0.5 --resamples 20" in "".join(page.text)
    deepfake("report", "--faces", 0, "--output", "p.html")
    assert not Page(tmp_path / "p.html").all("img")

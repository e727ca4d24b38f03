"""Files of this package that were changed: read as they are, or refused with the file and the field, never a traceback."""

import json
import re
from pathlib import Path
from types import SimpleNamespace

import pandas as pd
import pytest

import deepfake_cli
from deepfake_cli.config import Train
from deepfake_cli.data import protocol
from deepfake_cli.errors import DeepfakeError, ManifestError
from deepfake_cli.evaluation.calibrated import Calibrated
from deepfake_cli.evaluation.predictions_file import evaluated
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.reporting.folder import _metrics
from deepfake_cli.runs import recipe
from deepfake_cli.runs.listing import row
from deepfake_cli.runs.resume import newest_start, own_settings
from deepfake_cli.runs.schema import Recipe
from deepfake_cli.storage.json_files import DEEPEST, MOST_BYTES, parse_json, read_json
from deepfake_cli.training.export import traits_of

OWN = {  # JSON that is written by this process itself, or by pip
    "storage/json_files.py": "the one reader",
    "models/export.py": "Keras' own description of a model in memory",
    "distributed/rendezvous.py": "facts of this process",
    "installation.py": "pip's record of this package; below the reader's layer",
}
WRONG = (None, [], {}, "x", "", -1, 1e300, 10**18, True, "a\0b", [[]], {"a": 1}, ["x"])
FAULTS = {
    "a list": ("[1]", "found [1]"),
    "no JSON": ('{\n"epoch": ', "invalid JSON in line 2"),
    "nothing": ("", "invalid JSON in line 1"),
    "not text": (b"\xff{", "not UTF-8 text"),
    "NaN": ('{"seed": NaN}', "found NaN; expected a finite number"),
    "infinite": ('{"seed": -1e999}', "found -1e999; expected a finite number"),
    "many digits": ('{"seed": ' + "9" * 5000 + "}", "5,000 digits"),
    "a key twice": ('{"seed": 1, "seed": 2}', "lists seed twice; keep one"),
    "deep": ("[" * 100_000, "nested too deep"),
    "too deep": ('{"a":' * (DEEPEST + 1) + "1" + "}" * (DEEPEST + 1), "nested too deep"),
}


def places(value, at=()):
    """The place of every value in a JSON value, as keys."""
    if at:
        yield at
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*at, key))


def changed(value):
    """Copies of a JSON value, each with one value lost or another one."""
    for *keys, last in places(value):
        for wrong in (*WRONG, ...):
            copy = json.loads(json.dumps(value))
            part = copy
            for key in keys:
                part = part[key]
            if wrong is ...:
                del part[last]
            else:
                part[last] = wrong
            yield copy


RECIPE = {
    "model": "meso4",
    "began": "2026-01-01T00:00:00",
    "seed": 0,
    "versions": {"keras": "3.8"},
    "data": {"train.csv": "0f"},
    "groups": {"train": ["a/b"], "validation": []},
    "history": [{"epoch": 1, "loss": 0.5, "val_auc": 0.7, "val_video_auc": 0.8, "val_loss": 0.3, "pool": "mean"}],
    "snapshots": {
        "best.keras": {
            "epoch": 1,
            "val_auc": 0.7,
            "val_loss": 0.3,
            "threshold": 0.5,
            "pool": "mean",
            "calibration": {"method": "isotonic", "scores": [0.0, 1.0], "probabilities": [0.1, 0.9]},
        }
    },
    "settings": {"epochs": 2, "margin": 1.3, "lr": 1e-4, "train_csv": ["train.csv"], "val_annotations": "val.csv"},
    "process": {"pid": 1, "host": "here"},
}
PROTOCOL = {"protocol": "official", "lists": {"a.csv": {"sha256": "0f"}}}
TRAITS = {
    "model": "meso4",
    "image_size": 64,
    "threshold": 0.6,
    "real_below": 0.4,
    "calibration": {"method": "temperature", "temperature": 2.0},
    "measured": {
        "on": "clips",
        "real": {"real": 0.8, "fake": 0.1, "undecided": 0.1},
        "fake": {"real": 0.1, "fake": 0.8, "undecided": 0.1},
    },
}
FIGURE = {"value": 0.7, "low": 0.6, "high": 0.8}
LEVEL = {"n": 2, "real": 1, "fake": 1, "auc": FIGURE | {"delong": {"low": 0.5, "high": 0.9}}, "eer": FIGURE}
LEVEL |= {"confusion": {"real_as_real": 1, "real_as_fake": 0, "fake_as_real": 0, "fake_as_fake": 1}}
METRICS = {
    "snapshot": "best.keras",
    "threshold": 0.5,
    "pool": "mean",
    "calibration": None,
    "frame": LEVEL,
    "video": LEVEL,
    "slices": [{"by": "group", "value": "a", "frame": {"real": 1, "fake": 1, "auc": FIGURE, "accuracy": FIGURE}}],
    "interval": {"level": 0.95, "resamples": 100, "unit": "group", "units": 2},
    "errors": {"videos": 1, "listed": [{"video": "a"}]},
}


def use_recipe(path: Path) -> None:
    """All that runs, resume, evaluate, export and calibrate read of a recipe."""
    best, folder = path.with_name("best.keras"), path.parent
    recipe.seen(best, ["a/b"]), recipe.pool_of(best), recipe.epoch_of(best), recipe.threshold_of(best)
    Calibrated.of(best, calibrate=True, threshold=None).threshold(0.5)
    assert traits_of(SimpleNamespace(name="m", input_shape=(None, 64, 64, 3)), best).text
    if row(folder).state != "broken":
        facts = recipe.of_run(folder)
        own_settings(Train(), facts, folder)
        newest_start(folder, facts)


def use_traits(path: Path) -> None:
    assert Traits.parse(path.read_text(), path).rates is not None


def use_metrics(path: Path) -> None:
    from deepfake_cli.reporting import page, summary
    from deepfake_cli.reporting.slices import forests

    metrics = _metrics(path)
    if metrics.get("snapshot") and not metrics.get("calibration"):
        evaluated(path.with_name("predictions.csv"), [])
    (
        summary.summary(metrics),
        summary.limits(metrics),
        page._robustness(metrics),
        forests(metrics, pd.DataFrame({"score": []})),
    )
    [summary.figure(metrics[level].get("eer")) for level in ("frame", "video")]


@pytest.mark.parametrize(
    "name, good, use",
    [
        ("recipe.json", RECIPE, use_recipe),
        ("protocol.json", PROTOCOL, lambda path: protocol.read(path.parent)),
        ("best.onnx", TRAITS, use_traits),
        ("metrics.json", METRICS, use_metrics),
    ],
)
def test_a_changed_file_is_read_or_named(name, good, use, tmp_path):
    path, refused = tmp_path / name, []
    path.write_text(json.dumps(good))
    use(path)
    texts = [json.dumps(each) for each in changed(good)]
    for text in (*texts, *(text for text, _ in FAULTS.values())):
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        if name.endswith("onnx") and isinstance(text, bytes):
            continue
        try:
            use(path)
        except DeepfakeError as error:
            refused.append(str(error))
    assert len(refused) > len(texts) / 4
    gone = "the run's snapshots are gone"  # true of a recipe without any
    assert not [said for said in refused if name not in said and gone not in said]


@pytest.mark.parametrize("text, said", FAULTS.values(), ids=FAULTS)
def test_the_message_says_what_was_found_and_what_to_do(text, said, tmp_path):
    path = tmp_path / "x.json"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ManifestError) as caught:
        read_json(path, dict[str, int], ManifestError, "Write it again.")
    assert str(caught.value).startswith(f"{path}: ") and str(caught.value).endswith("Write it again.")
    assert said in str(caught.value)


def test_the_message_names_the_field():
    with pytest.raises(
        ManifestError, match=re.escape("x: history.0.epoch: found '3'; expected a valid integer. Mend.")
    ):
        parse_json('{"history": [{"epoch": "3"}]}', Recipe, "x", ManifestError, "Mend.")


def test_a_huge_file_is_refused_before_it_is_read_whole(tmp_path):
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 2**30)
    with pytest.raises(ManifestError, match=r"huge\.json: larger than 256 MiB"):
        read_json(path, dict, ManifestError, "")


def test_only_the_one_reader_reads_json():
    package = Path(deepfake_cli.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if re.search(r"json\.loads?\(|JSONDecoder|raw_decode", path.read_text())
    }
    assert found == set(OWN)


def test_commands_refuse_a_changed_file(deepfake, tmp_path):
    run = tmp_path / "runs" / "run"
    run.mkdir(parents=True)
    for name in ("recipe.json", "protocol.json", "metrics.json"):
        (run / name).write_text("[1]")
    (run / "best.keras").write_bytes(b"x")
    (run / "predictions.csv").write_text("path,dataset,group,video,label,score\na,b,c,d,real,0.1\n")
    assert "broken: recipe.json: found [1]" in " ".join(deepfake("runs").stdout.split())
    for words, name in {
        ("train", "--resume", "run"): "recipe.json",
        ("calibrate", run / "predictions.csv", run / "best.keras"): "metrics.json",
        ("report", run): "metrics.json",
        ("make-csv", "--check", "--csvdir", run): "protocol.json",
    }.items():
        said = deepfake(*words, check=1).stderr
        assert said.startswith("Error") and f"{name}: found [1]" in " ".join(said.split()), said

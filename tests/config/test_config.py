"""Settings: shipped files load, precedence, error messages, generated options and docs."""

import functools
import json
import re
import tomllib
from pathlib import Path, PureWindowsPath
from typing import Literal, get_args, get_origin

import pytest
from typer.main import get_command

from deepfake_cli import config, corruptions, datasets, faces, forgery, models
from deepfake_cli.cli import app
from deepfake_cli.config import FLAGS_ONLY, STEPS, Evaluate, MakeCsv, Split, Train, choices, resolve
from deepfake_cli.config.files import _toml
from deepfake_cli.datasets import ADAPTERS
from deepfake_cli.errors import ConfigError
from deepfake_cli.inference import runtimes
from deepfake_cli.metrics.pooling import POOLS

CONFIGS = sorted(path for path in (Path(__file__).parents[2] / "configs").iterdir() if path.is_file())
STEP_NAMES = [name.replace("_", "-") for name in STEPS]
REQUIRED = {
    name: {key for key, field in step.model_fields.items() if field.is_required()} for name, step in STEPS.items()
}
OWN_FLAGS = {
    "split": {"--json"},
    "make-csv": {"--json"},
    "audit": {"--json"},
    "forge": set(),
    "train": set(),
    "evaluate": {"--json"},
    "calibrate": {"--json"},
    "matrix": {"--json"},
    "compare": {"--json"},
    "report": set(),
    "export": {"--json", "--yes"},
    "predict": {"--json"},
    "app": set(),
    "datasets verify": {"--json"},
}  # beside --config
COMMANDS = get_command(app).commands


def extra(field) -> dict:
    return field.json_schema_extra or {}


@pytest.fixture
def faults(tmp_path):
    """Write a file; return the lines of its error message, without the file name at the start of each."""

    def run(text: str | bytes, name: str, step=Train) -> list[str]:
        file = tmp_path / name
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        with pytest.raises(ConfigError) as caught:
            resolve(step, {}, file)
        lines = str(caught.value).split("\n")
        assert all(line.startswith(f"{file}: ") for line in lines), lines
        return [line.removeprefix(f"{file}: ") for line in lines]

    return run


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_shipped_configs_load(file):
    sections = config.read(file)
    assert set(sections) == set(STEPS) - {"compare"}, "a file for the whole way of one detector"
    for name, keys in sections.items():
        settings, origins = resolve(STEPS[name], {}, file)
        taken = {"train_config"} if name == "matrix" else set()  # it trains as [train] says
        assert {key for key, origin in origins.items() if origin == str(file)} == set(keys) | taken
        if name in ("split", "make_csv"):
            assert settings.adapter in ADAPTERS
    assert sections["split"]["adapter"] == sections["make_csv"]["adapter"]


@pytest.mark.parametrize("step", [name for name in STEP_NAMES if name != "compare"])
@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_the_command_accepts_shipped_configs(json_of, file, step):
    shown = json_of("config", "show", step, "--config", file)
    assert list(shown) == list(STEPS[step.replace("-", "_")].model_fields)
    assert {item["from"] for item in shown.values()} == {str(file), "default"}


@pytest.mark.parametrize(
    "name, text",
    [("c.toml", '[train]\nmodel = "vgg16"\nepochs = 3\n'), ("c.ini", "[train]\nmodel = vgg16\nepochs = 3\n")],
)
def test_precedence_is_flag_file_default(json_of, tmp_path, name, text):
    (tmp_path / name).write_text(text)
    shown = json_of("config", "show", "train", "a.csv", "--epochs", "5", "--no-snapshots", "--config", name)
    assert shown["epochs"] == {"value": 5, "from": "flag"}
    assert shown["model"] == {"value": "vgg16", "from": name}
    assert shown["batch_size"] == {"value": 16, "from": "default"}
    assert shown["train_csv"] == {"value": ["a.csv"], "from": "flag"}
    assert shown["snapshots"] == {"value": False, "from": "flag"}
    assert {key for key, item in shown.items() if item["from"] != "default"} == {
        "epochs",
        "model",
        "train_csv",
        "snapshots",
    }


def test_a_flag_at_its_default_overrides_the_file(json_of, tmp_path):
    (tmp_path / "c.toml").write_text("[make_csv]\nseed = 4\nratio = 0.5\n")
    shown = json_of("config", "show", "make-csv", "uadfv", "--seed", "0", "--config", "c.toml")
    assert shown["seed"] == {"value": 0, "from": "flag"}
    assert shown["ratio"] == {"value": 0.5, "from": "c.toml"}


def test_missing_required_settings_are_reported(json_of, deepfake):
    shown = json_of("config", "show", "split")
    assert shown["adapter"]["value"] == shown["viddir"]["value"] == "(required)"
    assert deepfake("split", check=1).stderr == (
        "Error: ADAPTER and VIDDIR are missing: deepfake split ADAPTER VIDDIR, "
        "or split.adapter and split.viddir in a --config file\n"
    )


def test_ini_values_are_parsed_to_numbers_lists_and_none(tmp_path):
    file = tmp_path / "c.ini"
    file.write_text(
        "[train]\ntrain_csv =\n  a, b.csv\n  c.csv\nsteps =\nsnapshots = no\nlr = 1e-3  # fast\ngpu = 0\nweights = 50%.h5\n"
    )
    settings, _ = resolve(Train, {}, file)
    assert settings.train_csv == [Path("a, b.csv"), Path("c.csv")]
    assert (settings.steps, settings.snapshots, settings.lr, settings.gpu) == (None, False, 1e-3, "0")
    assert settings.weights == Path("50%.h5")


@pytest.mark.parametrize("name", ["c.toml", "c.ini"])
def test_empty_text_is_none_for_optional_settings(tmp_path, name):
    """Not an empty path, which would be the current folder."""
    empty = '""' if name.endswith("toml") else ""
    optional = [key for key, field in Train.model_fields.items() if "None" in str(field.annotation)]
    assert "tensorboard_dir" in optional
    (tmp_path / name).write_text("[train]\n" + "".join(f"{key} = {empty}\n" for key in optional))
    settings, _ = resolve(Train, {}, tmp_path / name)
    assert all(getattr(settings, key) is None for key in optional)


@pytest.mark.parametrize("name, text", [("c.toml", "[train]\nepochs = 3\n"), ("c.ini", "[train]\r\nepochs = 3\r\n")])
def test_windows_line_endings_and_bom(tmp_path, name, text):
    (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert resolve(Train, {}, tmp_path / name)[0].epochs == 3


@pytest.mark.parametrize("name", ["c.toml", "c.ini"])
def test_unknown_keys(faults, name):
    (line,) = faults("[train]\nepochz = 3\n", name)
    assert line == f"train.epochz: unknown key; allowed: {', '.join(Train.model_fields)}."
    (line,) = faults("[make_csv]\nviddir = 3\nadapter = 'x'\n", name, MakeCsv)
    assert line == f"make_csv.viddir: unknown key; allowed: {', '.join(MakeCsv.model_fields)}."


@pytest.mark.parametrize("name", ["c.toml", "c.ini"])
@pytest.mark.parametrize("section", ["trian", "make-csv", "DEFAULT"])
def test_unknown_sections(faults, name, section):
    (line,) = faults(f"[{section}]\nepochs = 3\n", name)
    assert line == f"{section}: unknown section; allowed: {', '.join(STEPS)}."


@pytest.mark.parametrize(
    "name, value, said",
    [
        (
            "c.toml",
            'epochs = "x"',
            "epochs: found 'x'; expected a valid integer, unable to parse string as an integer.",
        ),
        (
            "c.toml",
            "epochs = 1.5",
            "epochs: found 1.5; expected a valid integer, got a number with a fractional part.",
        ),
        ("c.toml", "epochs = [1]", "epochs: found [1]; expected a valid integer."),
        ("c.toml", "model = 3", "model: found 3; expected a valid string."),
        ("c.ini", "epochs = x", "epochs: found 'x'; expected a valid integer, unable to parse string as an integer."),
        ("c.ini", "epochs =", "epochs: found ''; expected a valid integer, unable to parse string as an integer."),
        ("c.ini", "balance = maybe", "balance: found 'maybe'; expected a valid boolean, unable to interpret input."),
        ("c.toml", "epochs = 0", "epochs: found 0; expected greater than or equal to 1."),
        ("c.toml", "lr = 0.0", "lr: found 0.0; expected greater than 0."),
        ("c.toml", "lr = nan", "lr: found nan; expected a finite number."),
        ("c.toml", "lr = inf", "lr: found inf; expected a finite number."),
        ("c.ini", "epochs = -1", "epochs: found '-1'; expected greater than or equal to 1."),
        ("c.ini", "image_size = 5000", "image_size: found '5000'; expected less than or equal to 2048."),
        ("c.ini", "reduce_lr_factor = 1", "reduce_lr_factor: found '1'; expected less than 1."),
    ],
)
def test_wrong_types_and_ranges(faults, name, value, said):
    assert faults(f"[train]\n{value}\n", name) == [f"train.{said}"]


def test_wrong_choices(faults):
    (line,) = faults('[split]\nadapter = "uadfv"\nviddir = "x"\ncrop = "nose"\n', "c.toml", Split)
    assert line == "split.crop: found 'nose'; expected 'face' or 'none'."


@pytest.mark.parametrize(
    "name, text", [("c.toml", 'lr = "x"\nepochs = 0\nfoo = 1\n'), ("c.ini", "lr = x\nepochs = 0\nfoo = 1\n")]
)
def test_each_error_has_its_own_line(deepfake, faults, name, text, tmp_path):
    lines = faults(f"[train]\n{text}", name)
    assert sorted(line.split(":")[0] for line in lines) == ["train.epochs", "train.foo", "train.lr"]
    said = deepfake("train", "--config", name, check=1).stderr
    assert re.findall(r"^(?:Error: )?(\S+: train\.\w+): ", said, re.MULTILINE) == [
        f"{name}: {line.split(':')[0]}" for line in lines
    ]


@pytest.mark.parametrize(
    "name, text",
    [
        ("c.toml", "[train\n"),
        ("c.toml", "epochs 3\n"),
        ("c.ini", "epochs = 3\n"),
        ("c.ini", "[train]\nepochs = 3\nepochs = 4\n"),
        ("c.ini", b"\xff\xfe[train]"),
        ("c.toml", b"\x89PNG\xff"),
    ],
)
def test_invalid_config_files(faults, name, text):
    (line,) = faults(text, name)
    assert line.startswith(f"cannot be read as .{name.split('.')[1]}: ")


def test_a_missing_file_and_a_key_outside_a_section(deepfake, faults):
    assert (
        "none.toml: no such file. Write one with deepfake config init."
        in deepfake("train", "--config", "none.toml", check=1).stderr
    )
    assert faults("epochs = 3\n", "c.toml") == [f"epochs: unknown section; allowed: {', '.join(STEPS)}."]
    assert faults("train = 3\n", "c.toml") == ["train: found 3, expected a section [train]."]


def test_incompatible_settings(deepfake):
    said = deepfake("make-csv", "uadfv", "--ratio", "0.9", "--test-ratio", "0.1", check=1).stderr
    assert "ratio 0.9 and test_ratio 0.1 leave no groups for validation" in said
    said = deepfake("train", "--snapshot", "a.keras", "--weights", "b.h5", check=1).stderr
    assert "snapshot and weights cannot be combined" in said
    assert "--lr: found -1.0; expected greater than 0." in deepfake("train", "--lr", "-1", check=1).stderr


def test_init_writes_a_valid_file_and_does_not_overwrite(deepfake, json_of, tmp_path):
    deepfake("config", "init")
    written = (tmp_path / "deepfake.toml").read_bytes()
    shown = json_of("config", "show", "train", "--config", "deepfake.toml")
    assert {item["from"] for item in shown.values()} == {"default"}, "all is commented out"
    (tmp_path / "deepfake.toml").write_text("mine")
    assert "deepfake.toml exists; overwrite it with --force." in deepfake("config", "init", check=1).stderr
    assert (tmp_path / "deepfake.toml").read_text() == "mine"
    deepfake("config", "init", "deepfake.toml", "--force")
    assert (tmp_path / "deepfake.toml").read_bytes() == written


def test_init_writes_all_defaults(tmp_path):
    """Uncommenting all lines, except required ones, changes nothing."""
    file = tmp_path / "all.toml"
    file.write_text(re.sub(r"^# (\w+ = )", r"\1", config.template(), flags=re.MULTILINE))
    assert {name: set(keys) for name, keys in tomllib.loads(file.read_text()).items()} == {
        name: set(step.model_fields) for name, step in STEPS.items()
    }
    assert {"adapter", "viddir", "paths", "a", "b"} == set().union(*REQUIRED.values())
    lines, section = file.read_text().splitlines(), ""
    for number, line in enumerate(lines):
        section = line.strip("[]") if line.startswith("[") else section
        if line.split(" = ")[0] in REQUIRED.get(section, ()):
            lines[number] = f"# {line}"
    file.write_text("\n".join(lines))
    for name, step in STEPS.items():
        needed = dict.fromkeys(REQUIRED[name], "x")
        settings, origins = resolve(step, needed, file)
        assert settings == step(**needed)
        assert {key for key, origin in origins.items() if origin == str(file)} == set(step.model_fields) - REQUIRED[
            name
        ]


@pytest.mark.parametrize(
    "value", [True, 3, 1e-05, 0.8, 'a "b"', "é", ["a", "b"], [], PureWindowsPath("csv/train/new.csv")]
)
def test_init_writes_every_kind_of_value(value):
    """Including Windows paths with backslashes."""
    expected = str(value) if isinstance(value, PureWindowsPath) else value
    assert tomllib.loads(f"x = {_toml(value)}")["x"] == expected


def test_schema_has_every_key_of_every_section(deepfake):
    schema = json.loads(deepfake("config", "schema").stdout)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert (schema["type"], schema["additionalProperties"]) == ("object", False)
    assert set(schema["properties"]) == set(STEPS)
    for name, step in STEPS.items():
        section = schema["properties"][name]
        assert section["additionalProperties"] is False
        assert "required" not in section, "a flag may give it"
        assert set(section["properties"]) == set(step.model_fields)
        for key, stated in section["properties"].items():
            field = step.model_fields[key]
            assert stated["description"] == field.description
            assert {"type", "anyOf"} & set(stated)
            assert "$ref" not in json.dumps(stated), "nothing points elsewhere"
            if not field.is_required():
                assert stated["default"] == step(**dict.fromkeys(REQUIRED[name], "x")).model_dump(mode="json")[key]


@pytest.mark.parametrize("file", CONFIGS, ids=lambda file: file.name)
def test_schema_accepts_shipped_configs(file):
    jsonschema = pytest.importorskip("jsonschema")
    if file.suffix == ".toml":
        jsonschema.validate(config.read(file), config.schema())


@pytest.mark.parametrize("step", [*STEP_NAMES, *FLAGS_ONLY])
def test_flags_match_the_settings_model(step):
    command = functools.reduce(lambda found, word: found.commands[word], step.split(), get_command(app))
    parameters = command.params
    found = {flag for each in parameters if not each.hidden for flag in (*each.opts, *each.secondary_opts)}
    expected = OWN_FLAGS[step] | ({"--config"} if step in STEP_NAMES else set())
    for name, field in (STEPS | FLAGS_ONLY)[step.replace("-", "_")].model_fields.items():
        if extra(field).get("positional"):
            expected.add(name)
            continue
        dashed = f"--{name.replace('_', '-')}"
        both = f"{dashed}/--no-{name.replace('_', '-')}" if field.annotation is bool else dashed
        expected |= set(re.split("[/,]", extra(field).get("flag", both)))
    assert found == expected


TABLES = {
    "ADAPTERS": (datasets.ADAPTERS, {"split": ["adapter"], "make_csv": ["adapter"]}),
    "CHANGES": (corruptions.CHANGES, {"evaluate": ["robustness_changes"]}),
    "DEGRADATIONS": (forgery.DEGRADATIONS, {"train": ["degradation"], "forge": ["degradation"]}),
    "FACE_DETECTORS": (faces.FACE_DETECTORS, {"split": ["face_detector"], "forge": ["face_detector"]}),
    "FORGERIES": (forgery.FORGERIES, {"train": ["forgery"], "forge": ["forgery"]}),
    "MODELS": (models.MODELS, {"train": ["model"]}),
    "RUNTIMES": (runtimes.RUNTIMES, {name: ["runtime"] for name in ("evaluate", "predict", "app")}),
}


@pytest.mark.parametrize("name", TABLES)
def test_help_lists_the_choices_of_the_registry(name):
    table, options = TABLES[name]
    assert getattr(choices, name) == tuple(table)
    for step, names in options.items():
        for option in names:
            words = set(re.findall(r"\w+", STEPS[step].model_fields[option].description))
            assert set(table) <= words, f"{step} {option}"


def test_literal_choices_match_the_registry():
    for step, name, expected in (
        ("evaluate", "pool", ("auto", *POOLS)),
        ("compare", "pool", tuple(POOLS)),
        ("make_csv", "by", config.BY),
    ):
        annotation = STEPS[step].model_fields[name].annotation
        inner = next((each for each in get_args(annotation) if get_origin(each) is Literal), annotation)
        assert get_args(inner) == expected, f"{step} {name}"


def test_either_joins_names():
    assert [choices.either(names) for names in (("a",), ("a", "b"), ("a", "b", "c"))] == ["a", "a or b", "a, b or c"]


FORMER = [
    (step, extra(field)["former"], name)
    for step, model in STEPS.items()
    for name, field in model.model_fields.items()
    if "former" in extra(field)
]


@pytest.mark.parametrize(("step", "former", "name"), FORMER)
def test_a_former_name_is_accepted_and_hidden(deepfake, json_of, faults, tmp_path, step, former, name):
    """test_flags_match_the_settings_model checks that help does not show it."""
    (tmp_path / "c.toml").write_text(f'[{step}]\n{former} = "filed"\n')
    filed, flag, former_flag = "c.toml", f"--{name.replace('_', '-')}", f"--{former.replace('_', '-')}"
    assert json_of("config", "show", step, "--config", filed)[name] == {"value": "filed", "from": filed}
    for given in (flag, former_flag):
        assert json_of("config", "show", step, given, "x", "--config", filed)[name] == {"value": "x", "from": "flag"}
    said = deepfake("config", "show", step, flag, "x", former_flag, "y", check=1).stderr
    assert f"{former_flag} is the former name of {flag}: remove one of them." in said
    (line,) = faults(f'[{step}]\n{former} = "x"\n{name} = "y"\n', "both.toml", STEPS[step])
    assert line.startswith(f"{step}.{former} is the former name of ")


def test_split_and_forge_take_detector_for_face_detector():
    assert [(step, "detector", "face_detector") for step in ("split", "forge")] == FORMER


@pytest.mark.parametrize("step", STEPS.values(), ids=STEPS)
def test_every_setting_is_documented(step):
    for name, field in step.model_fields.items():
        assert field.description, name
        assert field.description[0].isupper(), name
        assert not field.description.endswith("."), name


def test_evaluate_takes_lists_and_snapshot_from_a_file(tmp_path):
    (tmp_path / "c.toml").write_text('[evaluate]\ninputs = ["a.csv", "b.keras"]\n')
    assert resolve(Evaluate, {}, tmp_path / "c.toml")[0].inputs == [Path("a.csv"), Path("b.keras")]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("split", "--help"),
        ("make-csv", "--help"),
        ("train", "--help"),
        ("config", "show", "train"),
        ("split", "uadfv", "--viddir", "{uadfv}", "--every", "8", "--workers", "2"),
        ("make-csv", "uadfv", "--imgdir", "{frames}"),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_what_reads_data_never_loads_tensorflow(deepfake, uadfv, frames_of_uadfv, arguments):
    """Checked with Python's import log, also in worker processes."""
    given = [argument.format(uadfv=uadfv, frames=frames_of_uadfv) for argument in arguments]
    listed = deepfake(*given, PYTHONPROFILEIMPORTTIME="1").stderr
    loaded = {line.rpartition("|")[2].strip().split(".")[0] for line in listed.splitlines() if "|" in line}
    assert "deepfake_cli" in loaded
    assert not loaded & {"tensorflow", "keras"}


@pytest.mark.parametrize(
    "text, said",
    [
        ("[train]\nepochs = " + "9" * 5000, "an integer has thousands of digits"),
        ("[train]\nepochs = " + "[" * 100_000, "nested too deep"),
        ('[train]\nrun = "a\\u0000b"', "train.run: found 'a\\x00b'; expected text without NUL"),
        ('[train]\ntrain_csv = ["a\\u0000b"]', "train.train_csv: found ['a\\x00b']; expected text without NUL"),
    ],
)
def test_values_that_no_option_has_are_named(text, said, tmp_path):
    file = tmp_path / "odd.toml"
    file.write_text(text)
    with pytest.raises(ConfigError) as caught:
        resolve(Train, {}, file)
    assert str(caught.value).startswith(f"{file}: {said}") and len(str(caught.value)) < 400


def test_a_config_that_is_no_file_is_refused_unread():
    for name in ("/dev/zero", "/dev"):
        with pytest.raises(ConfigError, match=f"{name}: .*(not a regular file|a folder, where)"):
            resolve(Train, {}, Path(name))


WAYS = {
    "flag": lambda value: None,
    "c.toml": lambda value: f"[train]\nruns_dir = {json.dumps(value)}\n",
    "c.ini": lambda value: f"[train]\nruns_dir = {value}\n",
    "quoted.ini": lambda value: f"[train]\nruns_dir = '{value}'  # in quotes\n",
}


def given(tmp_path, way: str, value: str):
    """The setting from the command line or a file."""
    if way == "flag":
        return resolve(Train, {"runs_dir": Path(value)})[0].runs_dir
    (tmp_path / way).write_text(WAYS[way](value))
    return resolve(Train, {}, tmp_path / way)[0].runs_dir


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("value", ["/data/take#2/runs", "/a%b/%(c)s", "/a b/$c.d", "runs", "/a;b", "/é"])
def test_a_value_is_the_same_from_everywhere(tmp_path, way, value):
    assert given(tmp_path, way, value) == Path(value)


@pytest.mark.parametrize("way", WAYS)
def test_a_path_may_begin_with_the_home_folder(tmp_path, way, monkeypatch):
    """Never a folder called ~, nor one called $HOME."""
    monkeypatch.setenv("HOME", "/home/ann")
    assert given(tmp_path, way, "~/x") == Path("/home/ann/x")
    for value, said in (("$HOME/x", "variables are not"), ("${HOME}", "variables"), ("~no one/x", "no such home")):
        with pytest.raises(ConfigError, match=f"runs.dir: found .*{said}"):
            given(tmp_path, way, value)


@pytest.mark.parametrize("value", ["/data/take #2/runs", "/a ;b", "'/a", '"/a" b', "/a\n  /b"])
def test_an_ini_value_that_is_not_clear_is_an_error(faults, value):
    """Rather than a tail that is lost, or a quote that becomes part of a name."""
    (line,) = faults(f"[train]\nruns_dir = {value}\n", "c.ini")
    assert "train.runs_dir: found" in line and ("in quotes" in line or "expected one" in line)


def test_an_ini_value_in_quotes_may_have_anything(tmp_path):
    (tmp_path / "c.ini").write_text(
        "[train]\nruns_dir = \"/data/take #2; it's/runs\"\ntrain_csv =\n  'a #1.csv'\n  b.csv\n"
    )
    settings = resolve(Train, {}, tmp_path / "c.ini")[0]
    assert settings.runs_dir == Path("/data/take #2; it's/runs")
    assert settings.train_csv == [Path("a #1.csv"), Path("b.csv")]


def test_every_path_takes_the_home_folder(monkeypatch):
    monkeypatch.setenv("HOME", "/home/ann")
    beside = {"sign": {"case": "x"}, "signed_by": {"verify": "x"}}  # options that need another
    for step in STEPS.values():
        required = {name: "x" for name, field in step.model_fields.items() if field.is_required()}
        for name, field in step.model_fields.items():
            if "Path" in str(field.annotation):
                several = str(field.annotation).startswith("list")
                settings = resolve(
                    step, {name: ["~/x.png"] if several else "~/x.png"}, assume=required | beside.get(name, {})
                )[0]
                made = getattr(settings, name)
                assert made == ([Path("/home/ann/x.png")] if several else Path("/home/ann/x.png")), (step, name)

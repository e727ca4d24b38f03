"""``--help``: panels by theme, a line for each option, and whole names."""

import re
from typing import Literal, get_args, get_origin

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from deepfake_cli.cli import app, console
from deepfake_cli.config import STEPS
from deepfake_cli.config.base import extra
from deepfake_cli.config.panels import Panel

MOST = 10  # options in the first panel
STEP_NAMES = [name.replace("_", "-") for name in STEPS]


def leaves(group, words=()):
    """The words of every command."""
    for name, command in group.commands.items():
        yield from leaves(command, (*words, name)) if hasattr(command, "commands") else [((*words, name), command)]


COMMANDS = dict(leaves(get_command(app)))


@pytest.fixture
def help_of(monkeypatch):
    def run(*words: str, width: int) -> list[str]:
        monkeypatch.setattr(console.console, "_width", width)
        result = CliRunner().invoke(app, [*words, "--help"])
        assert result.exit_code == 0, result.output
        lines = result.output.splitlines()
        assert max(map(len, lines)) <= width
        return lines

    return run


def shown(command) -> list:
    return [each for each in command.params if not getattr(each, "hidden", False)]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_an_option_takes_a_line_of_100_columns(help_of, words):
    """What stands on further lines is the list of its choices."""
    choices = " ".join(each.help.partition("\n")[2] for each in shown(COMMANDS[words]) if each.help)
    for line in help_of(*words, width=100):
        if line.startswith("│  "):
            assert set(line.strip("│ ").split()) <= set(choices.split()), line


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_names_are_whole_at_80_columns(help_of, words):
    text = "\n".join(help_of(*words, width=80))
    named = set(re.findall(r"(?<!\S)-[-\w\[\]]+", re.sub(r"[,/]", " ", text)))
    for each in shown(COMMANDS[words]):
        if each.param_type_name == "option":
            whole = {each.opts[-1], each.opts[-1].replace("--", "--[no-]", 1)}
            assert whole & named, f"{each.opts} not in\n{text}"


@pytest.mark.parametrize("step", STEP_NAMES)
def test_the_choices_of_an_option_are_listed(help_of, step):
    text = " ".join(help_of(step, width=300))
    for name, field in STEPS[step.replace("-", "_")].model_fields.items():
        literals = [each for each in (field.annotation, *get_args(field.annotation)) if get_origin(each) is Literal]
        start = text.index(f"--{name.replace('_', '-')}") if not extra(field).get("positional") and literals else 0
        for choice in (choice for each in literals for choice in get_args(each)):
            assert re.search(rf"\b{choice}\b", text[start : start + 300]), f"--{name}: {choice}"
        assert extra(field).get("choices", "") in text


@pytest.mark.parametrize("step", STEP_NAMES)
def test_few_options_come_first_and_the_rest_by_theme(help_of, step):
    titles = [line.strip("╭─╮ ") for line in help_of(step, width=100) if line.startswith("╭")]
    assert titles == [title for title in ("Arguments", *Panel) if title in titles]
    assert titles[-1] == Panel.GENERAL and Panel.MAIN in titles
    fields = STEPS[step.replace("-", "_")].model_fields.values()
    first = [field for field in fields if not extra(field).get("positional")]
    assert sum(extra(field)["panel"] == Panel.MAIN for field in first) <= MOST


def test_train_is_told_in_a_few_screens(help_of):
    """It had 312 lines of 80 columns in 0.1."""
    assert len(help_of("train", width=100)) <= 100
    assert len(help_of("train", width=80)) <= 130


def test_commands_come_in_panels_a_line_each(help_of):
    lines = help_of(width=100)
    assert [line.strip("╭─╮ ") for line in lines if line.startswith("╭")] == [
        *("Judge", "Data", "Train", "Measure", "Tools", "Options"),
    ]
    rows = [re.match(r"│ ([a-z-]+) +\S", line)[1] for line in lines if re.match(r"│ [a-z]", line)]
    assert rows[:4] == ["predict", "app", "split", "make-csv"] and set(rows) == set(get_command(app).commands)
    assert not any(line.startswith("│  ") and "installation" not in line for line in lines)  # that text is of Typer

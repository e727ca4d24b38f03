"""The demo, shortened; .ci/run runs it whole and checks that it is better than chance."""

import json

import pytest

from tests import processes

SHORT = """
from importlib import import_module
from pathlib import Path
demo = import_module("deepfake_cli.cli.demo")  # the command has the same name
LESS = {"split": {"every": 24}, "train": {"model": "meso4", "epochs": 1}}
demo.STEPS = tuple((run, step, values | LESS.get(run.__name__, {})) for run, step, values in demo.STEPS)
demo.demo(Path("deepfake-demo"))
"""


@pytest.mark.slow
def test_demo_prints_its_commands_and_writes_what_it_lists(tmp_path):
    (tmp_path / "short.py").write_text(SHORT)
    done = processes.run(tmp_path / "short.py", cwd=tmp_path)
    for command in ("split uadfv", "make-csv uadfv", "train --model meso4", "evaluate"):
        assert f"$ deepfake {command}" in done.stdout
    written = [tmp_path / line.strip() for line in done.stdout.splitlines() if line.startswith("  deepfake-demo/")]
    assert len(written) > 5 and all(path.exists() for path in written)
    (found,) = tmp_path.rglob("metrics.json")
    scored = json.loads(found.read_text())["video"]
    assert (scored["real"], scored["fake"]) == (1, 1), "the one person of the validation list"

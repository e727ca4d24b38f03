"""The scripts of benchmarks/gpu run, on the CPU and with tiny sizes, so that they are ready for a machine with a GPU."""

import ast
from pathlib import Path

import pytest

from deepfake_cli.assets import STARTER
from tests import processes

BENCHMARKS = Path(__file__).parents[1] / "benchmarks"
TINY = ("--model", "meso4", "--image-size", 32, "--steps", 8)
RUNS = {  # arguments, and words of the table
    "gpu/batch.py": (TINY, ("meso4", "batch found")),
    "gpu/choices.py": (
        (
            *TINY[:4],
            "--batch-size",
            2,
            "--seconds",
            0.1,
            "--pairs",
            1,
            "--choices",
            "8 steps an execution",
        ),
        ("8 steps an execution", "first step, s"),
    ),
    "gpu/judge.py": (
        ("--detector", STARTER, "--runtime", "onnx", "--frames", 20, "--pairs", 1),
        ("crops scored alone",),
    ),
    "gpu/replicas.py": ((*TINY[:4], "--steps", 2, "--batch-size", 4), ("two replicas", "<= 0.001: met")),
    "gpu/steps.py": (
        ("meso4:2", "meso4+self_blend:2", "--image-size", 32, "--seconds", 0.1, "--pairs", 1),
        ("meso4, batch 2, from files", "meso4, self_blend, batch 2", "peak memory"),
    ),
    "input.py": (
        ("--image-size", 32, "--images", 8, "--batch-size", 4, "--batches", 4, "--repeats", 1),
        ("WebP, lossless", "--cache: decoded, in memory"),
    ),
}
NOT_RUN = {
    "gpu/agree.py": "needs a GPU",
    "gpu/first_step.py": "two trainings, which others cover",
    "gpu/torch_steps.py": "needs PyTorch",
    "gpu/our_steps.py": "steps.py and choices.py run it",
    "gpu/gpu_model.py": "shared parts",
    "gpu/workers.py": "shared parts",
}


@pytest.mark.slow
@pytest.mark.parametrize("script", RUNS)
def test_a_script_prints_its_table(script, tmp_path):
    arguments, said = RUNS[script]
    done = processes.run(BENCHMARKS / script, *arguments, cwd=tmp_path)
    assert all(words in done.stdout for words in said), done.stdout
    assert not list(tmp_path.iterdir())


def test_every_script_is_run_or_says_why_not_and_is_in_the_readme():
    there = {f"gpu/{path.name}" for path in (BENCHMARKS / "gpu").glob("*.py")} | {"input.py"}
    assert there == RUNS.keys() | NOT_RUN.keys() and not RUNS.keys() & NOT_RUN.keys()
    readme = (BENCHMARKS / "README.md").read_text()
    parts = ("gpu/gpu_model.py", "gpu/workers.py", "gpu/our_steps.py", "gpu/torch_steps.py")
    named = [name for name in there if name not in parts]
    assert [name for name in named if f"`{name}`" not in readme or f"python benchmarks/{name}" not in readme] == []


def test_every_script_says_how_it_is_called():
    for path in (BENCHMARKS / "gpu").glob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text())), path

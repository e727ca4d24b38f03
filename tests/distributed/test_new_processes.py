"""Processes of this machine, as a script of a user starts them."""

import json

import pytest

from tests import processes
from tests.conftest import tree

SCRIPT = """
import os, sys
from deepfake_cli import split
print("begun", os.getpid(), flush=True)  # no if __name__ == "__main__": few people who call one function write it
result = split(adapter="uadfv", viddir=sys.argv[1], imgdir=sys.argv[2], size=96, workers=2, face_detector="mine:make")
print(result)
"""
DETECTOR = """
import os
from pathlib import Path
from deepfake_cli.faces import rfb320

def make(least):
    detect = rfb320(least)
    def find(image):
        Path("pids", str(os.getpid())).touch()
        return detect(image)
    return find
"""


@pytest.mark.slow
def test_a_script_is_not_begun_again_in_each_process(tmp_path, uadfv):
    (tmp_path / "mine.py").write_text(DETECTOR)
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "pids").mkdir()
    done = processes.run(tmp_path / "script.py", uadfv, "script", cwd=tmp_path)
    begun, result = done.stdout.splitlines()
    assert (result, done.stderr) == ("<SplitResult script/manifest.csv: 12 videos>", "")
    pids = {path.name for path in (tmp_path / "pids").iterdir()}
    assert pids and begun.split()[1] not in pids, "other processes read the videos"

    words = ("split", "uadfv", "--viddir", uadfv, "--imgdir", "command", "--size", 96, "--workers", 2, "--json")
    found = json.loads(processes.run(*words, "--face-detector", "mine:make", cwd=tmp_path).stdout)
    assert not found["failed"]
    assert tree(tmp_path / "script") == tree(tmp_path / "command")

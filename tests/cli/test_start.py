"""The start and the end of the ``deepfake`` command."""

import subprocess
import sys

CODE = """
import atexit, gc, sys
from deepfake_cli.__main__ import main

sys.argv = ["deepfake", {word!r}]
before = gc.get_threshold()
atexit.register(lambda: print(gc.get_freeze_count(), gc.get_threshold()[0] > before[0], len(gc.get_objects())))
main()
"""


def test_the_garbage_collector_does_not_go_through_the_libraries_again_at_the_end():
    for word, status in (("--version", 0), ("no-such-command", 2)):
        done = subprocess.run([sys.executable, "-c", CODE.format(word=word)], capture_output=True, text=True)
        assert done.returncode == status, done.stderr
        frozen, rarer, left = done.stdout.split()[-3:]
        assert int(frozen) > 10_000 > int(left) and rarer == "True"

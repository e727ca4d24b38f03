"""No file takes longer than its time limit: the verdict is on what was read until then, and says so."""

import json
import time

import numpy as np
import pytest
from PIL import Image

from deepfake_cli import Detector
from deepfake_cli.assets import FOLDER
from deepfake_cli.media.video import FrameSource

from .corpus import PLAIN

LIMIT = 0.5


@pytest.fixture(scope="module")
def endless(tmp_path_factory):
    """A GIF of few bytes with many large frames."""
    path = tmp_path_factory.mktemp("endless") / "endless.gif"
    frames = [Image.fromarray(np.full((2000, 2000), value, np.uint8)) for value in (0, 255) * 30]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=40)
    assert path.stat().st_size < 1_000_000
    return path


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"max_frames": 50}, {"crops": True}])
def test_a_file_is_given_up_in_time_with_a_note(endless, options):
    detector, started, told = Detector.load(), time.monotonic(), []
    verdict = detector.predict(endless, max_seconds=LIMIT, progress=lambda done, total: told.append(done), **options)
    assert time.monotonic() - started < 10 * LIMIT
    assert verdict.frames < 60
    assert any(f"stopped after {LIMIT} s: only the first" in note for note in [*verdict.notes, verdict.reason])
    assert told, "progress is reported"


def test_reading_stops_when_the_time_is_over():
    source = FrameSource(FOLDER / PLAIN)
    assert list(source.frames(until=0)) == [] and source.stopped
    source = FrameSource(FOLDER / PLAIN)
    assert len(list(source.frames(until=time.monotonic() + 60))) == 75 and not source.stopped


@pytest.mark.slow
def test_predict_stops_at_its_option(deepfake, endless):
    done = deepfake("predict", endless, "--max-seconds", LIMIT, "--json")
    (verdict,) = json.loads(done.stdout)["verdicts"]
    assert verdict["verdict"] == "undecided" and "max-seconds" in "; ".join([verdict["reason"], *verdict["notes"]])


def test_explaining_decodes_nothing_after_the_last_frame_that_is_shown():
    source = FrameSource(FOLDER / PLAIN)
    assert [index for index, _ in source.at([2, 5])] == [2, 5]
    assert len(source.times) == 6

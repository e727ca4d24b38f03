"""The explanations of ``deepfake predict``: page, sheets and videos."""

import re
from html import unescape

import av
import cv2
import numpy as np
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.explain import boxes
from deepfake_cli.explain.player import clock
from deepfake_cli.explain.top_frames import MOST, top_frames
from deepfake_cli.faces.box import Box
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Moment
from tests import processes

CLIP = FOLDER / CLIPS[0][0]


@pytest.fixture(scope="module")
def explained(tmp_path_factory):
    """Outputs of predict for a clip, one of the same name, a photo, and two files that cannot be judged."""
    folder = tmp_path_factory.mktemp("explained")
    (folder / "again").mkdir()
    (folder / "again" / CLIP.name).write_bytes(CLIP.read_bytes())
    capture = cv2.VideoCapture(str(CLIP))
    cv2.imwrite(str(folder / "photo.png"), capture.read()[1])
    (folder / "<img src=x onerror=alert(1)>.txt").write_text("no video" * 500)
    cv2.imwrite(str(folder / "wall.jpg"), np.full((200, 200, 3), 128, np.uint8))
    files = [CLIP, f"again/{CLIP.name}", "photo.png", "<img src=x onerror=alert(1)>.txt", "wall.jpg"]
    words = ["predict", *map(str, files), "--every", "3", "--report", "out/page.html", "--explain", "why"]
    return folder, processes.run(*words, cwd=folder).stdout


def test_page_has_every_verdict_and_is_self_contained(explained):
    folder, _ = explained
    page = (folder / "out" / "page.html").read_text()
    assert "<h1>5 files judged</h1>" in page and "3 real, 2 undecided" in page
    assert "text, not a video" in unescape(page) and "no face in 1 frame" in page
    assert "<img src=x" not in page and "&lt;img src=x onerror=alert(1)&gt;.txt" in page
    assert not re.search(r'(src|href)="(?!data:|#)', page) and "<script" not in page
    labels = re.findall(r'<label for="(file-1-frame-\d+)"', page)
    assert len(labels) == MOST and all(page.count(f'id="{label}"') == 1 for label in labels)
    assert "Reproduce: <code>deepfake predict " in page and "--every 3" in page


def test_every_moment_of_the_timeline_has_its_frame(explained):
    folder, _ = explained
    page = (folder / "out" / "page.html").read_text()
    film = page[page.index('id="player-1"') : page.index('id="file-2"')]
    moments = re.findall(r'<input type="radio" name="moment-1" [^>]*--at:([\d.]+);--wide:([\d.]+)"[^>]*>', film)
    assert (
        len(moments) == film.count('<figure class="still"><img src="data:image/jpeg') == 25
    )  # every third of 75 frames
    assert film.count(" checked>") == 1
    ends = np.cumsum([0, *(float(wide) for _, wide in moments)])
    np.testing.assert_allclose([float(at) for at, _ in moments], ends[:-1], atol=1e-3)  # no place leads nowhere
    assert ends[-1] == pytest.approx(1, abs=1e-3)
    assert re.findall(r'<span class="x[^>]*>([^<]+)</span>', film)[:3] == ["0:00.0", "0:00.5", "0:01.0"]


@pytest.mark.parametrize(("seconds", "digits", "text"), [
    (0, 1, "0:00.0"), (59.96, 1, "1:00.0"), (61.5, 0, "1:02"), (3600, 0, "1:00:00"), (3725.25, 1, "1:02:05.2"),
])  # fmt: skip
def test_times_are_minutes_and_seconds(seconds, digits, text):
    assert clock(seconds, digits) == text


def test_boxes_are_in_the_colour_of_the_call():
    verdict = Verdict(CLIP, threshold=0.6, real_below=0.4)
    for score, said, colour in ((0.6, "fake", boxes.FAKE), (0.5, "undecided", boxes.GREY), (0.1, "real", boxes.REAL)):
        picture = np.full((200, 200, 3), 255, np.uint8)
        boxes.draw_box(picture, Moment(0, score, Box(50, 60, 150, 160)), verdict)
        assert boxes.call(score, verdict) == said
        np.testing.assert_allclose(picture[100, 50], colour, atol=45)  # smoothed at its edges
    assert boxes.call(float("nan"), verdict) == "not judged"


def test_sheets_and_videos_show_the_judged_frames(explained):
    folder, said = explained
    names = sorted(path.name for path in (folder / "why").iterdir())
    assert names == sorted(
        f"{name}-explained{end}"
        for name, end in (
            ("man_a", ".mp4"),
            ("man_a", ".png"),
            ("man_a", "-2.mp4"),
            ("man_a", "-2.png"),
            ("photo", ".png"),
        )
    )
    assert "Wrote 5 images and videos to why" in said and "Wrote out/page.html" in said
    with av.open(str(folder / "why" / "man_a-explained.mp4")) as film, av.open(str(CLIP)) as clip:
        judged, whole = film.streams.video[0], clip.streams.video[0]
        frames = [frame.to_ndarray(format="bgr24") for frame in film.decode(video=0)]
        length = float(whole.duration * whole.time_base)
        assert len(frames) / float(judged.average_rate) == pytest.approx(length, rel=0.1)
        assert frames[0].shape[1] == whole.width and frames[0].shape[0] > whole.height  # the scores are below
    assert len(frames) == 25
    sheet = cv2.imread(str(folder / "why" / "man_a-explained.png"))
    assert sheet.shape[1] > 5 * 224 and sheet.shape[0] > 2 * 224


def test_top_frames_have_the_highest_scores():
    detector = Detector.load()
    verdict = detector.predict(CLIP, every=3)
    timeline = verdict.faces[0].timeline
    found = top_frames(verdict, timeline, detector)
    assert max(each.moment.score for each in found) == timeline.judged.max()
    assert max(each.heat.max() for each in found) == pytest.approx(1.0)
    again = detector.scores(np.stack([each.face[..., ::-1] for each in found]))
    np.testing.assert_allclose(
        again, [each.moment.score for each in found], atol=1e-6
    )  # the very pixels that were judged

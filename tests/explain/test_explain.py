"""The explanations of ``deepfake predict``: page, sheets and videos."""

import re
from html import unescape

import av
import cv2
import numpy as np
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.explain.top_frames import MOST, top_frames
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
    dots = re.findall(r'<a href="#(file-1-face-1-frame-\d)"', page)
    assert len(dots) == MOST and all(page.count(f'id="{dot}"') == 1 for dot in dots)
    assert "Reproduce: <code>deepfake predict " in page and "--every 3" in page


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

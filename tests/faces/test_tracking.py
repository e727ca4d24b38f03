"""Tracking in videos in which two of the shipped people meet, hide and change places."""

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.commands.split import split
from deepfake_cli.config import Split
from deepfake_cli.faces import rfb320
from deepfake_cli.faces.box import Box, mean
from deepfake_cli.faces.crop import crop, tilt_of
from deepfake_cli.faces.smooth import REACH, bridge, smooth, smoothed
from deepfake_cli.faces.tracking import ranked, track_faces
from deepfake_cli.media.video import frames

from ..conftest import sample_frames, tree, write_video

WIDTH, HEIGHT = 640, 360
COUNT = 48


@pytest.fixture(scope="module")
def heads() -> dict[str, list[np.ndarray]]:
    """Head of each person over time, as images of 160 x 160."""
    found = {}
    for name, person in CLIPS:
        images = sample_frames(name, COUNT)
        box = rfb320()(images[0])[0]
        found[person] = [crop(image, box, margin=1.6, size=160) for image in images]
    return found


def scene(*actors) -> list[np.ndarray]:
    """Frames with moving heads, the last in front: each is (images, centres, sides)."""
    images = []
    for index in range(COUNT):
        image = np.full((HEIGHT, WIDTH, 3), 110, np.uint8)
        for pictures, centres, sides in actors:
            (x, y), scale = centres[index], sides[index] / 160
            place = np.array([[scale, 0, x - 80 * scale], [0, scale, y - 80 * scale]])
            oval = cv2.ellipse(np.zeros((160, 160), np.uint8), (80, 80), (56, 76), 0, 0, 360, 255, -1)
            head, mask = (cv2.warpAffine(each, place, (WIDTH, HEIGHT)) for each in (pictures[index], oval))
            image[mask > 127] = head[mask > 127]
        images.append(image)
    return images


def line(start, end, still: int = 0) -> list[tuple[float, float]]:
    """Centres from `start` to `end`."""
    return [tuple(start + (np.array(end) - start) * share) for share in np.linspace(0, 1, COUNT)]


def tracked(images, every: int = 2, max_gap: int = 12):
    found = list(track_faces(enumerate(images), rfb320(), every=every, max_gap=max_gap))
    assert [index for index, _, _ in found] == list(range(len(images)))
    return [boxes for _, _, boxes in found]


def centre(box: Box) -> np.ndarray:
    return np.array([(box.x0 + box.x1) / 2, (box.y0 + box.y1) / 2])


def is_on(box: Box, centres, others, index: int) -> bool:
    """Whether the box is nearer to one person than to the other."""
    mine, theirs = (np.linalg.norm(centre(box) - places[index]) for places in (centres, others))
    return mine < theirs


PEOPLE = [person for _, person in CLIPS]
PAIRS = list(zip(PEOPLE, [*PEOPLE[1:], PEOPLE[0]], strict=True))  # each is once the first, and once the second


@pytest.mark.parametrize(("front", "back"), PAIRS)
def test_crossing_people_keep_their_tracks(heads, front, back):
    right, left = line((120, 170), (520, 170)), line((520, 190), (120, 190))
    boxes = tracked(scene((heads[back], left, [150] * COUNT), (heads[front], right, [170] * COUNT)))
    main, other = ranked(boxes, least=10)
    assert sum(main in found for found in boxes) == COUNT
    for index, found in enumerate(boxes):
        assert is_on(found[main], right, left, index)
        assert other not in found or is_on(found[other], left, right, index)
    assert other in boxes[0], "it was there at the start"
    assert other in boxes[-1], "and is known again after it was hidden"


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_a_growing_face_keeps_its_track(heads, one, two):
    """They change places in size; the one with the larger area over the video is kept."""
    places = line((180, 180), (180, 180)), line((460, 180), (460, 180))
    shrinking, growing = np.linspace(220, 100, COUNT), np.linspace(100, 180, COUNT)
    boxes = tracked(scene((heads[one], places[0], shrinking), (heads[two], places[1], growing)))
    main = ranked(boxes)[0]
    assert all(is_on(found[main], *places, index) for index, found in enumerate(boxes))


@pytest.mark.parametrize(("one", "two"), PAIRS)
def test_a_cut_to_another_person_starts_a_new_track(heads, one, two):
    images = scene((heads[one], [(320, 180)] * COUNT, [200] * COUNT))
    images[20:26] = scene((heads[two], [(320, 180)] * COUNT, [210] * COUNT))[20:26]
    boxes = tracked(images)
    main = ranked(boxes)[0]
    there = [index for index, found in enumerate(boxes) if main in found]
    assert there == [*range(20), *range(26, COUNT)], "kept through the cut and back, and nowhere else"


def hidden(heads, frames: range) -> list[np.ndarray]:
    images = scene((heads["man_c"], line((150, 180), (450, 180)), [200] * COUNT))
    return [image * 0 + 110 if index in frames else image for index, image in enumerate(images)]


def test_only_short_gaps_are_bridged(heads):
    images = hidden(heads, range(20, 30))
    boxes = tracked(images)
    assert [index for index, found in enumerate(boxes) if found and found[0].score == 0] == list(range(20, 30))
    whole = tracked(hidden(heads, range(0)))
    assert min(found[0].overlap(full[0]) for found, full in zip(boxes, whole, strict=True)) > 0.8
    for max_gap in (0, 9):
        assert [index for index, found in enumerate(tracked(images, max_gap=max_gap)) if not found] == list(
            range(20, 30)
        )


def test_smooth_keeps_order_and_few_images_in_memory():
    """At most the gap and the smoothing window, for any length of loss; every frame is yielded once."""
    box = Box(0, 0, 100, 100)
    held, most = 0, 0

    def stream():
        nonlocal held, most
        for index in range(300):
            held, most = held + 1, max(most, held + 1)
            yield index, np.zeros((2, 2, 3), np.uint8), {} if index % 50 > 20 else {index // 50: box}

    order = []
    for index, _, _ in smooth(stream(), max_gap=12):
        held -= 1
        order.append(index)
    assert order == list(range(300))
    assert most <= 12 + REACH + 2


def test_smoothing_removes_jitter_but_not_uniform_motion():
    moving = {index: {7: Box(3 * index, index, 100 + 3 * index, 120 + index)} for index in range(9)}
    assert smoothed(moving, 7, 4)[:4] == pytest.approx(moving[4][7][:4])
    rng = np.random.default_rng(0)
    shaken = {index: {7: Box(*(np.array([0, 0, 100, 100]) + rng.normal(0, 2, 4)))} for index in range(60)}
    jitter = np.std([shaken[index][7].x0 for index in range(3, 57)])
    assert np.std([smoothed(shaken, 7, index).x0 for index in range(3, 57)]) < 0.6 * jitter
    jump = {0: {7: Box(0, 0, 10, 10)}, 1: {7: Box(0, 0, 10, 10)}, 2: {7: Box(50, 0, 60, 10)}}
    assert smoothed(jump, 7, 1) == jump[1][7], "nothing is smoothed over a jump"


def test_a_gap_is_not_bridged_over_another_face():
    boxes = {0: {1: Box(0, 0, 10, 10)}, 1: {2: Box(1, 0, 11, 10)}, 2: {}, 3: {1: Box(3, 0, 13, 10)}}
    bridge(boxes, 1, 0, 3)
    assert 1 not in boxes[1]
    assert boxes[2][1][:5] == pytest.approx((2, 0, 12, 10, 0))


@pytest.mark.parametrize("name", [name for name, _ in CLIPS])
def test_detect_every_2_gives_nearly_the_same_boxes(name):
    """IoU of crops with and without interpolation is at least 0.9."""
    images = [image for _, image in frames(FOLDER / name)]
    overlaps = [some[0].overlap(all_[0]) for some, all_ in zip(tracked(images, 2), tracked(images, 1), strict=True)]
    assert min(overlaps) >= 0.9
    assert np.mean(overlaps) >= 0.98


def test_box_text_round_trip():
    box = Box(-3.04, 2.25, 100.15, 99.99, 0.9)
    assert Box.parse(box.text) == box.rounded()._replace(score=1.0)
    eyed = box._replace(eyes=(10.0, 20.04, 30.06, 40.0))
    assert Box.parse(eyed.text).eyes == (10.0, 20.0, 30.1, 40.0)
    assert mean([eyed, eyed], [0.5, 0.5]).eyes == pytest.approx(eyed.eyes)
    assert mean([eyed, box], [0.5, 0.5]).eyes is None


@pytest.fixture(scope="module")
def crossing(tmp_path_factory, heads):
    """A real video in which two people pass each other, and one without people."""
    root = tmp_path_factory.mktemp("crossing")
    left, right = line((520, 190), (120, 190)), line((120, 170), (520, 170))
    images = scene((heads["woman_b"], left, [150] * COUNT), (heads["man_c"], right, [170] * COUNT))
    write_video(root / "real" / "two.mp4", images)
    write_video(root / "fake" / "none.mp4", [image * 0 + 90 for image in images[:6]])
    return root


def cut(crossing, out, **settings) -> pd.DataFrame:
    result = split(Split(adapter="folder", viddir=crossing, imgdir=out, workers=1, **settings))
    assert not result.failed
    return pd.read_csv(result.manifest, dtype={"track": str}, keep_default_na=False)


@pytest.mark.slow
def test_all_faces_have_a_folder_and_a_row_each(crossing, tmp_path):
    table = cut(crossing, tmp_path / "all", faces="all")
    assert sorted(table["path"][table["path"] != ""]) == [
        name for name in tree(tmp_path / "all") if name.endswith(".jpg")
    ]
    two = table[table["video"] == "real/two"]
    assert set(two["track"]) == {"0", "1"}
    assert set(two["frame"]) == set(range(COUNT))
    assert not two.duplicated(["frame", "track"]).any()
    assert all(path.split("/")[2] == track for path, track in zip(two["path"], two["track"], strict=True))
    empty = table[table["video"] == "fake/none"]
    assert empty[["path", "track", "reason"]].drop_duplicates().values.tolist() == [["", "", "no face"]]
    largest = cut(crossing, tmp_path / "largest")
    kept = two[two["track"] == "0"].reset_index(drop=True)
    assert kept["box"].tolist() == largest.loc[largest["video"] == "real/two", "box"].tolist()
    assert set(largest["track"]) == {""}


@pytest.mark.slow
def test_crops_from_whole_frames_equal_split_crops(crossing, tmp_path):
    faces = cut(crossing, tmp_path / "faces", format="png")
    whole = cut(crossing, tmp_path / "whole", format="png", crop="none")
    assert whole["box"].tolist() == faces["box"].tolist()
    assert (whole["path"] != "").all()
    boxed = whole[whole["box"] != ""]
    assert len(boxed) == COUNT
    for path, box in zip(boxed["path"], boxed["box"], strict=True):
        image = crop(cv2.imread(str(tmp_path / "whole" / path)), Box.parse(box), margin=1.3, size=256)
        assert cv2.imencode(".png", image)[1].tobytes() == (tmp_path / "faces" / path).read_bytes()


def test_no_boxes_skips_detection_and_writes_the_same_frames(crossing, tmp_path):
    whole = cut(crossing, tmp_path / "whole", crop="none")
    plain = cut(crossing, tmp_path / "plain", crop="none", boxes=False, face_detector="rfb320")
    assert set(plain["box"]) == set(plain["reason"]) == {""}
    images = [
        {name: data for name, data in tree(tmp_path / out).items() if name.endswith(".jpg")}
        for out in ("whole", "plain")
    ]
    assert images[0] == images[1]
    assert whole["path"].tolist() == plain["path"].tolist()


@pytest.mark.parametrize("person", [person for _, person in CLIPS])
def test_a_partly_hidden_face_keeps_its_track(heads, person):
    """A pole passes in front; partial detections may get another track."""
    images = scene((heads[person], [(320, 180)] * COUNT, [220] * COUNT))
    for index, image in enumerate(images):
        left = 80 + 15 * index
        cv2.rectangle(image, (left, 0), (left + 60, HEIGHT), (60, 90, 140), -1)
    boxes = tracked(images)
    main = ranked(boxes)[0]
    assert sum(main in found for found in boxes) >= 40
    assert main in boxes[0]
    assert main in boxes[-1]


def dots(image: np.ndarray) -> tuple[float, ...]:
    """Centres of the blue and of the red dot."""
    blue, green, red = cv2.split(image.astype(int))
    places = [np.argwhere(mask).mean(0)[::-1] for mask in (blue - red - green > 60, red - blue - green > 60)]
    return tuple(float(value) for value in np.concatenate(places))


def eyed(min_score: float):
    """A user's own face detector, for eyes that are dots."""

    def detect(image):
        x0, y0, x1, y1 = dots(image)
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        return [Box(x - 60, y - 60, x + 60, y + 60, 0.9, (x0, y0, x1, y1))]

    return detect


eyed.eyes = True


@pytest.mark.slow
def test_aligned_eyes_are_level(tmp_path, heads):
    """On a clip rotated by 50 degrees, within one degree on every frame; not without --align."""
    images = []
    for index, image in enumerate(scene((heads["man_c"], [(320, 180)] * COUNT, [220] * COUNT))):
        cv2.circle(image, (290, 160), 7, (255, 0, 0), -1)
        cv2.circle(image, (350, 160), 7, (0, 0, 255), -1)
        turn = cv2.getRotationMatrix2D((320, 180), 50 * index / COUNT - 25, 1)
        images.append(cv2.warpAffine(image, turn, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE))
    write_video(tmp_path / "raw" / "real" / "turning.mp4", images)
    (tmp_path / "raw" / "fake").mkdir()
    tilts = {}
    for align in (False, True):
        table = cut(
            tmp_path / "raw", tmp_path / str(align), align=align, face_detector=f"{__name__}:eyed", format="png"
        )
        crops = [cv2.imread(str(tmp_path / str(align) / path)) for path in table["path"]]
        tilts[align] = [tilt_of(Box(0, 0, 1, 1, 1, dots(image))) for image in crops]
        assert len(table["box"].iloc[0].split()) == 8, "so they can be aligned later"
    whole = cut(tmp_path / "raw", tmp_path / "whole", crop="none", face_detector=f"{__name__}:eyed", format="png")
    first = Box.parse(whole["box"].iloc[0])
    later = crop(cv2.imread(str(tmp_path / "whole" / whole["path"].iloc[0])), first, margin=1.3, size=256, align=True)
    assert np.array_equal(later, cv2.imread(str(tmp_path / "True" / table["path"].iloc[0])))
    assert max(map(abs, tilts[True])) < 1
    assert max(map(abs, tilts[False])) > 20


def test_unsupported_settings_fail_before_work(deepfake, crossing):
    words = ["split", "folder", "--viddir", crossing]
    said = " ".join(deepfake(*words, "--align", check=1).stderr.split())
    assert "'rfb320' finds no eyes" in said
    for options in (["--no-boxes"], ["--crop", "none", "--align"], ["--crop", "none", "--faces", "all"]):
        assert "crop" in deepfake(*words, *options, check=1).stderr


@pytest.mark.slow
def test_the_command_has_all_face_options(json_of, crossing, tmp_path):
    found = json_of("split", "folder", "--viddir", crossing, "--faces", "all", "--max-gap", 0, "--detect-every", 1)
    assert found["written"] > COUNT
    assert found["frames"] == COUNT + 6
    again = json_of("split", "folder", "--viddir", crossing, "--faces", "all", "--max-gap", 3, "--detect-every", 1)
    assert again["skipped"] == 0, "another gap makes other crops"

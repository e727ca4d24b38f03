"""Re-encoding as H.264: the frames equal those of the ffmpeg program, in the same order."""

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli.media.reencode import Codec, reencoded
from deepfake_cli.media.video import frames

from ..conftest import sample_frames, tree, write_video
from .test_video import ALL, ODD, SAME, encode, number, painted


def through(images, crf: int = 23) -> list[np.ndarray]:
    return [image for _, image in reencoded(enumerate(images), crf)]


def size(images, crf: int) -> int:
    """Encoded size of the frames, in bytes."""
    codec = Codec(*images[0].shape[:2], crf)
    for index, image in enumerate(images):
        list(codec.pass_through(index, image))
    list(codec.flush())
    return codec.size


def blockiness(images) -> float:
    """Difference of neighbouring pixels across JPEG block borders, relative to that inside blocks."""
    steps = np.mean([np.abs(np.diff(image[..., 1].astype(float), axis=1)).mean(axis=0) for image in images], axis=0)
    across = np.arange(len(steps)) % 8 == 7
    return float(steps[across].mean() / steps[~across].mean())


@pytest.mark.parametrize("crf", [0, 23, 40])
def test_reencoded_frames_equal_ffmpeg(tmp_path, crf):
    path = encode(
        tmp_path / "theirs.mp4", f"-c:v libx264 -pix_fmt yuv420p -crf {crf} -threads 1 -x264-params no-mbtree=1"
    )
    theirs, ours = [image for _, image in frames(path)], through(painted(), crf)
    assert [number(image) for image in ours] == ALL
    assert min(cv2.PSNR(mine, other) for mine, other in zip(ours, theirs, strict=True)) > SAME


def test_higher_crf_gives_fewer_bytes_and_worse_frames():
    sizes = [size(painted(), crf) for crf in (0, 18, 28, 40, 51)]
    likeness = [np.mean(list(map(cv2.PSNR, through(painted(), crf), painted()))) for crf in (0, 18, 28, 40, 51)]
    assert sizes == sorted(sizes, reverse=True)
    assert likeness == sorted(likeness, reverse=True)
    assert sizes[0] > 10 * sizes[3]


def test_reencoding_is_reproducible():
    assert all(map(np.array_equal, through(painted()), through(painted())))


@pytest.mark.parametrize("sides", [ODD, (160, 121), (161, 120), (16, 16), (17, 3)])
def test_reencoding_keeps_any_size(sides):
    images = [cv2.resize(image, sides) for image in painted()]
    assert {image.shape for image in through(images)} == {(*sides[::-1], 3)}
    assert min(map(cv2.PSNR, through(images, 10), images)) > 25


def test_unreadable_frames_and_size_changes_keep_order():
    large, small = painted(), painted(ODD)
    images = [None, large[1], None, large[2], small[3], None, small[4], None]
    stream = list(zip((3, 4, 9, 10, 11, 12, 13, 20), images, strict=True))
    result = list(reencoded(iter(stream), 20))
    assert [index for index, _ in result] == [index for index, _ in stream]
    assert [number(image) for _, image in result if image is not None] == [1, 2, 3, 4]
    assert [image is None or image.shape for _, image in result] == [image is None or image.shape for image in images]
    assert list(reencoded(iter([]), 20)) == []


def test_few_frames_are_in_memory():
    """An endless stream yields frames before it has read a hundred."""
    taken = 0

    def endless():
        nonlocal taken
        while True:
            taken += 1
            yield taken, painted()[taken % 20]

    assert next(reencoded(endless(), 23))[0] == 1
    assert taken < 100


@pytest.fixture(scope="module")
def two_origins(tmp_path_factory):
    """One clip as low-quality JPEG frames in real/, and as a high-quality AVI in fake/."""
    root = tmp_path_factory.mktemp("origins")
    images = sample_frames("woman_b.mp4", 12)
    images = [cv2.resize(image, (256, 192)) for image in images]
    folder = root / "real" / "clip"
    folder.mkdir(parents=True)
    for index, image in enumerate(images, 1):
        (folder / f"{index:03d}").write_bytes(cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, 40])[1].tobytes())
    write_video(root / "fake" / "clip.avi", images, fourcc="FFV1")
    return root


def split(json_of, root, out: str, *options) -> dict:
    whole = ("--crop", "none", "--no-boxes", "--format", "png")
    return json_of("split", "folder", "--viddir", root, "--imgdir", out, *whole, *options)


def test_reencode_reduces_differences_between_sources(json_of, two_origins, tmp_path):
    gaps = []
    for options in ((), ("--reencode", 32)):
        out = "img" + "".join(map(str, options))
        split(json_of, two_origins, out, *options)
        real, fake = (
            [cv2.imread(str(path)) for path in sorted((tmp_path / out / kind / "clip").glob("*.png"))]
            for kind in ("real", "fake")
        )
        assert len(real) == len(fake) == 12
        gaps.append(abs(blockiness(real) - blockiness(fake)))
    assert gaps[1] < gaps[0] / 2


@pytest.mark.slow
def test_split_reencodes_all_frames_before_sampling(json_of, two_origins, tmp_path):
    split(json_of, two_origins, "all", "--reencode", 23, "--workers", 2)
    split(json_of, two_origins, "again", "--reencode", 23, "--workers", 1)
    split(json_of, two_origins, "some", "--reencode", 23, "--every", 4, "--max-frames", 2)
    every, some = tree(tmp_path / "all"), tree(tmp_path / "some")
    assert tree(tmp_path / "again") == every
    chosen = {name: data for name, data in some.items() if name.endswith(".png")}
    assert {name: every[name] for name in chosen} == chosen
    table = pd.read_csv(tmp_path / "some" / "manifest.csv")
    assert table.groupby("label")["frame"].apply(list).to_dict() == {"fake": [0, 8], "real": [1, 9]}


def test_another_crf_redoes_finished_videos(json_of, two_origins):
    runs = ((), (), ("--reencode", 23), ("--reencode", 30))
    assert [split(json_of, two_origins, "anew", *options)["skipped"] for options in runs] == [0, 2, 0, 0]


def test_crf_out_of_range_is_an_error(deepfake, two_origins):
    said = deepfake("split", "folder", "--viddir", two_origins, "--reencode", 52, check=2).stderr
    assert "reencode" in said
    assert "51" in said

"""Truncated and damaged videos and images are found, intact ones are not."""

import shutil

import av
import cv2
import numpy as np
import pytest

from deepfake_cli.media.integrity import fault
from tests.conftest import truncate

WRITTEN = {  # suffix: codec, options of the container, the largest share of the file that is told from all of it
    "mp4": ("h264", {}, 0.99),
    "faststart.mp4": ("h264", {"movflags": "faststart"}, 0.99),
    "fragmented.mp4": ("h264", {"movflags": "frag_keyframe+empty_moov"}, 0.9),
    "mov": ("mpeg4", {}, 0.99),
    "avi": ("mpeg4", {}, 0.9),  # the index is at its end
    "mkv": ("h264", {}, 0.5),  # has a length in seconds only
    "webm": ("libvpx", {}, 0.5),
}


@pytest.fixture(scope="module")
def videos(tmp_path_factory, people):
    """Three seconds in each container, with a key frame a second."""
    folder = tmp_path_factory.mktemp("videos")
    images = [cv2.resize(image, (160, 120)) for image in next(iter(people.values()))]
    for suffix, (codec, options, _) in WRITTEN.items():
        with av.open(str(folder / f"clip.{suffix}"), "w", options=options) as container:
            stream = container.add_stream(codec, rate=25)
            stream.width, stream.height, stream.pix_fmt, stream.gop_size = 160, 120, "yuv420p", 25
            for number in range(75):
                frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(images[number % len(images)]), "bgr24")
                container.mux(stream.encode(frame))
            container.mux(stream.encode())
    return folder


@pytest.mark.parametrize("full", [False, True])
@pytest.mark.parametrize("suffix", WRITTEN)
def test_truncated_videos_are_found(videos, tmp_path, suffix, full):
    clip = videos / f"clip.{suffix}"
    assert fault(clip, full=full) == ""
    for share in (0, 0.001, 0.5, WRITTEN[suffix][2]):
        assert fault(truncate(clip, tmp_path / f"{share}{clip.suffix}", share), full=full), share


def test_damage_in_the_middle_is_found_by_full_only(videos, tmp_path):
    clip = shutil.copyfile(videos / "clip.mp4", tmp_path / "clip.mp4")
    with clip.open("r+b") as file:
        file.seek(clip.stat().st_size // 2)
        file.write(bytes(400))
    assert fault(clip) == ""
    assert "damaged" in fault(clip, full=True)


def test_key_frames_that_are_none(videos, tmp_path):
    """Some writers mark all frames as key frames; the last one cannot be decoded alone."""
    with av.open(str(videos / "clip.mp4")) as source, av.open(str(tmp_path / "all.mp4"), "w") as copy:
        stream = copy.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.dts is not None:
                packet.stream, packet.is_keyframe = stream, True
                copy.mux(packet)
    with av.open(str(tmp_path / "all.mp4")) as container:
        assert all(entry.is_keyframe for entry in container.streams.video[0].index_entries)
    assert fault(tmp_path / "all.mp4") == ""


def test_a_tail_of_zeros_is_found(videos, tmp_path):
    """As of a download that reserves the space first."""
    clip = shutil.copyfile(videos / "clip.faststart.mp4", tmp_path / "clip.mp4")
    size = clip.stat().st_size
    with clip.open("r+b") as file:
        file.seek(size * 2 // 3)
        file.write(bytes(size - size * 2 // 3))
    assert fault(clip)


def test_images_of_a_folder(people, tmp_path):
    for index in range(5):
        cv2.imwrite(str(tmp_path / f"{index}.png"), next(iter(people.values()))[index])
    assert fault(tmp_path) == fault(tmp_path, full=True) == ""
    truncate(tmp_path / "3.png", tmp_path / "2.png", 0.5)
    assert fault(tmp_path) == "", "in the middle"
    assert fault(tmp_path, full=True).startswith("2.png: ")
    assert fault(tmp_path / "2.png")
    (tmp_path / "1.png").write_bytes(b"")
    assert fault(tmp_path).startswith("1.png: "), "an empty file is found anyway"
    assert fault(tmp_path, full=True).endswith("2 images are unreadable")


@pytest.mark.parametrize("name", ["none.mp4", "text.mp4", "text.jpg", "folder"])
def test_what_is_no_media_is_told(tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / name).write_text("Not found") if name.startswith("text") else None
    found = fault(tmp_path / name)
    assert found and str(tmp_path) not in found

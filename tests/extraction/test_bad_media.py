"""A data set full of bad files: they are all listed, and do not affect good ones."""

import os
import socket
import struct
import subprocess
import sys
import unicodedata
import zipfile
import zlib
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pandas as pd
import pytest

from tests import processes

from ..conftest import sample_frames, tree, truncate, write_video

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
GOOD = ("real/a", "fake/m", "fake/z", "real/loose")
FAILED, NOTED, READ = "failed", "notes", "read"  # how the result lists a file

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="makes pipes, sockets and links")


def ffmpeg(*arguments) -> None:
    subprocess.run([FFMPEG, "-y", "-v", "error", *map(str, arguments)], check=True)


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(side: int, bits: int = 8) -> bytes:
    """A black square of one channel: 30,000 pixels wide, a few kB at 1 bit, 2.7 GB as BGR."""
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", side, side, bits, 0, 0, 0, 0))
    rows = zlib.compressobj(1)
    row = bytes(1 + side * bits // 8)
    data = b"".join(rows.compress(row) for _ in range(side)) + rows.flush()
    return b"\x89PNG\r\n\x1a\n" + header + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def without(data: bytes, box: bytes) -> bytes:
    """An mp4 with a top-level box renamed to an unknown one."""
    assert data.count(box) == 1
    return data.replace(box, b"junk")


def videos(folder: Path, good: Path, images: list[np.ndarray]) -> dict[str, str]:
    """Write bad videos; return the expected outcome by name without suffix."""
    data = good.read_bytes()
    noise = np.random.default_rng(0)
    contents = {
        "empty.mp4": b"",
        "header.mp4": data[:24],
        "no_moov.mp4": without(data, b"moov"),
        "noise.mp4": noise.bytes(30_000),
        "text.mp4": b"not a video\n" * 100,
        "page.mp4": b"<!DOCTYPE html><html><body><h1>404 Not Found</h1></body></html>",
        "playlist.mp4": b"#EXTM3U\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
        "sound.avi": b"RIFF\x24\0\0\0WAVEfmt " + b"\0" * 100,
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    expected = {Path(name).stem: FAILED for name in contents}
    with zipfile.ZipFile(folder / "archive.mp4", "w") as archive:
        archive.writestr("video.mp4", data)
    ffmpeg("-f", "lavfi", "-i", "sine=duration=1", folder / "only_sound.mp4")
    avi = write_video(folder / "whole.avi", images, fourcc="MJPG")
    for percent in (20, 60, 95):
        truncate(good, folder / f"cut{percent}.mp4", percent / 100)  # its index is at the end, and so is lost
        truncate(avi, folder / f"early{percent}.avi", percent / 100)
    flipped = bytearray(avi.read_bytes())
    flipped[len(flipped) // 2 :][:400] = b""
    for place in noise.integers(len(flipped) // 2, len(flipped) * 3 // 4, 60):
        flipped[place] ^= 0x55
    (folder / "flipped.avi").write_bytes(flipped)
    x264 = ("-c:v", "libx264", "-pix_fmt", "yuv420p", "-preset", "ultrafast")
    ffmpeg("-i", good, *x264, folder / "plain.mp4")
    ffmpeg("-i", folder / "plain.mp4", "-c", "copy", "-bsf:v", "noise=drop=eq(n\\,0)", folder / "no_key.mkv")
    vast = ("-f", "lavfi", "-i", "color=size=9000x9000,format=gray", "-frames:v", "1", "-c:v", "png")
    ffmpeg(*vast, folder / "vast.mov")
    for name, size in (("wide", "320x240"), ("narrow", "160x240")):
        ffmpeg("-i", good, *x264, "-s", size, "-f", "h264", folder / f"{name}.h264")
    both = (folder / "wide.h264").read_bytes() + (folder / "narrow.h264").read_bytes()
    (folder / "resized.mpg").write_bytes(both)
    for name in ("wide.h264", "narrow.h264"):
        (folder / name).unlink()
    still = bytearray((folder / "plain.mp4").read_bytes())
    place = still.index(b"stts") + 12
    still[place : place + 4] = struct.pack(">I", 1)  # one sample ...
    still[place + 4 : place + 8] = bytes(4)  # ... that lasts no time
    (folder / "timeless.mp4").write_bytes(still)
    (folder / "picture.mp4").write_bytes(cv2.imencode(".jpg", images[0])[1].tobytes())
    expected |= dict.fromkeys(("archive", "only_sound", "cut20", "cut60", "cut95", "no_key", "vast"), FAILED)
    expected |= dict.fromkeys(("early20", "early60", "early95"), NOTED)
    return expected | dict.fromkeys(("whole", "flipped", "plain", "resized", "timeless", "picture"), READ)


def images_of(folder: Path, good: Path, images: list[np.ndarray]) -> dict[str, str]:
    """Write bad and odd images."""
    jpeg = cv2.imencode(".jpg", images[0])[1].tobytes()
    whole = cv2.imencode(".png", images[0])[1].tobytes()
    grey = images[0][..., 1]
    bad = {
        "video.jpg": good.read_bytes(),
        "half.jpg": jpeg[: len(jpeg) // 2],
        "half.png.png": whole[: len(whole) // 2],
        "no_side.png": png(0),
        "bomb.png": png(30_000, 1),
        "claims.png": png(64).replace(struct.pack(">II", 64, 64), struct.pack(">II", 2**31 - 1, 2**31 - 1)),
        "none.jpg": b"",
    }
    fine = {
        "tail.jpg": jpeg + bytes(range(200)) * 20,
        "deep.png": cv2.imencode(".png", images[0].astype(np.uint16) * 257)[1].tobytes(),
        "grey.png": cv2.imencode(".png", grey)[1].tobytes(),
        "bits.png": png(64, 1),
        "alpha.png": cv2.imencode(".png", cv2.cvtColor(images[0], cv2.COLOR_BGR2BGRA))[1].tobytes(),
    }
    for name, content in (bad | fine).items():
        (folder / name).write_bytes(content)
    ffmpeg("-i", good, "-frames:v", "1", "-pix_fmt", "gray16be", folder / "deep_grey.png")
    return {Path(name).stem: NOTED for name in bad} | {Path(name).stem: READ for name in [*fine, "deep_grey.png"]}


def files(folder: Path, good: Path) -> dict[str, str]:
    """Make special files, and good videos with odd names."""
    os.mkfifo(folder / "pipe.mp4")
    with socket.socket(socket.AF_UNIX) as made:
        here = Path.cwd()
        os.chdir(folder)  # a socket's path may have some 100 characters only
        made.bind("socket.mp4")
        os.chdir(here)
    (folder / "nowhere.mp4").symlink_to("not_there.mp4")
    (folder / "loop.mp4").symlink_to("loop.mp4")
    (folder / "device.mp4").symlink_to("/dev/zero")
    (folder / "round").symlink_to("..", target_is_directory=True)
    os.link(good, os.fsencode(folder) + b"/latin\xe9.mp4")
    expected = dict.fromkeys(("pipe", "socket", "nowhere", "loop", "device", os.fsdecode(b"latin\xe9")), FAILED)
    names = ["new\nline", "com,ma", 'quo"te', "sp ace", "-dash", "%03d", "a:b", "é" * 100]
    names += [unicodedata.normalize(form, "Café") for form in ("NFC", "NFD")]
    for name in names:
        os.link(good, folder / f"{name}.mp4")
    if os.geteuid():
        (folder / "secret.mp4").write_bytes(good.read_bytes())
        (folder / "secret.mp4").chmod(0)
        expected["secret"] = FAILED
    return expected | dict.fromkeys(names, READ)


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> tuple[Path, dict[str, str]]:
    """The data set, and the expected outcome of each video."""
    root = tmp_path_factory.mktemp("bad")
    images = sample_frames("man_a.mp4", 4)
    for name in GOOD[:3]:
        write_video(root / f"{name}.mp4", images)
    cv2.imwrite(str(root / "real" / "loose.jpg"), images[0])
    good, real, fake = root / "real" / "a.mp4", root / "real", root / "fake"
    expected = {f"fake/{name}": how for name, how in videos(fake, good, images).items()}
    expected |= {f"real/{name}": how for name, how in images_of(real, good, images).items()}
    expected |= {f"real/{name}": how for name, how in files(real, good).items()}
    for name in (".mp4", "odd.xyz", "preview.gif", "notes.txt", "a.wav", "._a.mp4", ".DS_Store"):
        (fake / name).write_bytes(b"x")
    (fake / "folder.mp4").mkdir()
    return root, expected


@pytest.fixture(scope="module")
def found(raw, tmp_path_factory) -> tuple[dict, Path, str]:
    """The result of `split`, the folder of images, and its stderr."""
    import json

    root = tmp_path_factory.mktemp("out")
    out = root / "img"
    command = ("split", "folder", "--viddir", raw[0], "--imgdir", out, "--workers", 2, "--json")
    noisy = {"TF_CPP_MIN_LOG_LEVEL": "1", "OPENCV_LOG_LEVEL": "INFO"}  # as some machines have it
    done = processes.run(*command, cwd=root, timeout=120, fresh=True, **noisy)
    return json.loads(done.stdout), out, done.stderr


def test_every_file_is_listed_with_its_reason(raw, found):
    result, out, _ = found
    table = pd.read_csv(out / "manifest.csv", dtype=str, keep_default_na=False)
    assert len(raw[1]) > 45
    assert result["videos"] == len(raw[1]) + len(GOOD)
    failed = {item["video"]: item["reason"] for item in result["failed"]}
    noted = {item["video"]: item["note"] for item in result["notes"]}
    assert set(failed) == {name for name, how in raw[1].items() if how == FAILED}
    assert all(failed.values())
    assert {name for name, how in raw[1].items() if how == NOTED} <= set(noted)
    read = {name for name, how in raw[1].items() if how != FAILED}
    assert {video.split("\r")[0] for video in table["video"]} == read | set(GOOD)


def test_reasons_name_the_problem(found):
    failed = {item["video"]: item["reason"] for item in found[0]["failed"]}
    noted = {item["video"]: item["note"] for item in found[0]["notes"]}
    for name, said in {
        "fake/empty": "empty",
        "fake/only_sound": "no video stream, only audio",
        "fake/no_key": "no frame can be decoded",
        "fake/vast": "67,108,864 pixels",
        "real/pipe": "not a regular file",
        "real/nowhere": "no such file",
        os.fsdecode(b"real/latin\xe9"): "UTF-8",
    }.items():
        assert said in failed[name], failed[name]
    assert "are missing; 1 frame is damaged" in noted["fake/early60"]
    assert "unreadable" in noted["real/bomb"]


def test_ignored_files_are_listed(found):
    assert {Path(name).name for name in found[0]["ignored"]} == {
        ".mp4",
        "odd.xyz",
        "preview.gif",
        "folder.mp4",
        "round",
    }
    assert "odd.xyz" in found[2]


def test_nothing_else_is_printed(found):
    said = found[2]
    assert "Traceback" not in said
    assert not any(word in said for word in ("libpng", "swscaler", "moov atom", "[ERROR", "Invalid data found"))


def test_bad_files_do_not_affect_good_ones(raw, found, json_of, tmp_path):
    for name in GOOD:
        source = next(raw[0].glob(f"{name}.*"))
        target = tmp_path / "raw" / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.with_suffix(source.suffix).write_bytes(source.read_bytes())
    json_of("split", "folder", "--viddir", "raw")
    alone, among = tree(tmp_path / "img"), tree(found[1])
    del alone["manifest.csv"]
    assert len(alone) == 3 * (4 + 1) + 2
    assert {name: among[name] for name in alone} == alone


def test_no_partial_output(found):
    assert not list(found[1].rglob("*.partial*"))
    records = {path.parent for path in found[1].rglob(".split.json")}
    assert {path.parent for path in found[1].rglob("*.jpg")} <= records


def test_a_pipe_is_an_unreadable_frame(json_of, tmp_path, people):
    folder = tmp_path / "raw" / "real" / "frames"
    folder.mkdir(parents=True)
    (tmp_path / "raw" / "fake").mkdir()
    cv2.imwrite(str(folder / "0.jpg"), people["man_a"][0])
    os.mkfifo(folder / "1.jpg")
    (folder / "2.jpg").symlink_to("nowhere.jpg")
    found = json_of("split", "folder", "--viddir", "raw")
    assert (found["frames"], found["written"]) == (3, 1)
    assert "2 unreadable frames" in found["notes"][0]["note"]

"""Any video gives the frames that the ffmpeg program gives, with the right indices.

Each file is made here from a shipped clip, with its number painted into each frame, so that a frame in a wrong place shows.
"""

import re
import struct
import subprocess
from functools import cache
from pathlib import Path

import cv2
import imageio_ffmpeg
import numpy as np
import pytest

from deepfake_cli.app.kinds import settle
from deepfake_cli.assets import FOLDER
from deepfake_cli.errors import VideoError
from deepfake_cli.media.geometry import upright
from deepfake_cli.media.video import FrameSampler, FrameSource, frames

from ..conftest import remuxed, sample_frames

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
COUNT, SIDES, ODD = 20, (160, 120), (161, 121)  # width and height
SQUARE, BITS = 16, 5  # a painted number: a square for each bit, at the top left
ALL = list(range(COUNT))
X264 = "-c:v libx264 -preset veryfast -crf 18"
X265 = "-c:v libx265 -preset ultrafast -crf 18 -x265-params log-level=none"
VP9 = "-c:v libvpx-vp9 -crf 15 -b:v 0 -cpu-used 8"
GAPS = "setpts=(N+floor(N/3)*2+gt(N\\,10)*20)/25/TB"  # every third frame lasts longer, one a second
INTERLACED = "-flags +ildct+ilme"
SAME, NEAR, CHROMA = 90, 40, 35  # least PSNR in dB: bit for bit; other rounding; other mixing of fields


@cache
def painted(sides: tuple[int, int] = SIDES, count: int = COUNT) -> list[np.ndarray]:
    """Frames of a clip with their numbers painted in."""
    images = [cv2.resize(image, sides) for image in sample_frames("man_a.mp4", count)]
    for index, image in enumerate(images):
        for bit in range(BITS):
            image[:SQUARE, SQUARE * bit :][:, :SQUARE] = 255 * (index >> bit & 1)
    return images


def number(image: np.ndarray) -> int:
    """The number painted in a frame."""
    inner = slice(SQUARE // 4, -SQUARE // 4)
    squares = (image[:SQUARE, SQUARE * bit :][:, :SQUARE][inner, inner] for bit in range(BITS))
    return sum(int(square.mean() > 127) << bit for bit, square in enumerate(squares))


def ffmpeg(*arguments, data: bytes | None = None) -> bytes:
    command = [FFMPEG, "-y", "-v", "error", *map(str, arguments)]
    return subprocess.run(command, input=data, check=True, capture_output=True).stdout


def encode(path: Path, options: str = X264 + " -pix_fmt yuv420p", sides=SIDES, count: int = COUNT) -> Path:
    """Encode the painted frames."""
    source = f"-f rawvideo -pix_fmt bgr24 -s {sides[0]}x{sides[1]} -r 25 -i -".split()
    ffmpeg(*source, *options.split(), path, data=b"".join(image.tobytes() for image in painted(sides, count)))
    return path


def copied(source: Path, path: Path, options: str = "", *, before: str = "") -> Path:
    """Remux the packets to another file."""
    ffmpeg(*before.split(), "-i", source, *options.split(), "-c", "copy", path)
    return path


def expected(path: Path) -> list[np.ndarray]:
    """Frames of a file as decoded by the ffmpeg program."""
    out = ffmpeg(*f"-i {path} -map 0:V:0 -fps_mode passthrough -f image2pipe -c:v bmp -pix_fmt bgr24 -".split())
    images = []
    while out:
        size = int.from_bytes(out[2:6], "little")
        images.append(cv2.imdecode(np.frombuffer(out[:size], np.uint8), cv2.IMREAD_COLOR))
        out = out[size:]
    return images


def check(path: Path, numbers: list[int] = ALL, least: float = SAME, turned: int = 0) -> None:
    """Compare our frames with those of ffmpeg, and both with the painted ones."""
    theirs, ours = expected(path), list(frames(path))
    assert [index for index, _ in ours] == list(range(len(numbers)))
    images = [image for _, image in ours]
    assert [number(np.rot90(image, turned)) for image in images] == numbers
    assert [image.shape for image in images] == [image.shape for image in theirs]
    likeness = [cv2.PSNR(mine, other) for mine, other in zip(images, theirs, strict=True)]
    assert min(likeness) >= least
    shifted = [cv2.PSNR(mine, other) for mine, other in zip(images, theirs[1:], strict=False)]
    assert max(shifted, default=0) < least, "a frame in a wrong place would not pass"


KINDS = {
    "baseline.mp4": f"{X264} -profile:v baseline -pix_fmt yuv420p",
    "b_frames.mp4": f"{X264} -bf 3 -pix_fmt yuv420p",
    "b_frames.ts": f"{X264} -bf 2 -pix_fmt yuv420p",
    "open_gop.mp4": f"{X264} -pix_fmt yuv420p -x264opts open-gop=1:keyint=6:min-keyint=6:bframes=2",
    "vfr.mp4": f"{X264} -pix_fmt yuv420p -vf {GAPS} -fps_mode passthrough",
    "vfr.mkv": f"{X264} -pix_fmt yuv420p -vf {GAPS} -fps_mode passthrough",
    "422.mkv": f"{X264} -pix_fmt yuv422p",
    "444.mkv": f"{X264} -pix_fmt yuv444p",
    "full_range.mp4": f"{X264} -pix_fmt yuvj420p -vf scale=out_range=full -color_range pc",
    "bt709.mp4": f"{X264} -pix_fmt yuv420p -vf scale=out_color_matrix=bt709 -colorspace bt709",
    "gray.mp4": f"{X264} -pix_fmt gray",
    "hevc.mp4": f"{X265} -pix_fmt yuv420p -tag:v hvc1",
    "vp9_alpha.webm": f"{VP9} -pix_fmt yuva420p",
    "vp8_alpha.webm": "-c:v libvpx -pix_fmt yuva420p -crf 5 -b:v 2M -auto-alt-ref 0",
    "av1.mp4": "-c:v libsvtav1 -crf 15 -preset 12",
    "prores.mov": "-c:v prores_ks -profile:v 4444 -pix_fmt yuva444p10le",
    "png_alpha.mov": "-c:v png -pix_fmt rgba",
    "qtrle_alpha.mov": "-c:v qtrle -pix_fmt argb",
    "gray10.mkv": "-c:v ffv1 -pix_fmt gray10le",
    "rgb.mkv": "-c:v ffv1 -pix_fmt bgr0",
    "mjpeg.avi": "-c:v mjpeg -q:v 2 -pix_fmt yuvj420p",
    "asp.avi": "-c:v mpeg4 -q:v 2 -bf 2",
    "mpeg2.ts": "-c:v mpeg2video -q:v 2 -bf 2",
    "wmv.wmv": "-c:v wmv2 -q:v 2",
    "flv.flv": "-c:v flv -q:v 2",
    "theora.ogv": "-c:v libtheora -q:v 10",
    "raw.avi": "-c:v rawvideo -pix_fmt yuv420p",
    "animated.gif": "-vf split[a][b];[a]palettegen[p];[b][p]paletteuse",
}
ROUNDED = {  # another rounding from 10 bits to 8 than the program's; of fields, another mixing of their chroma
    "h264_10.mp4": (f"{X264} -pix_fmt yuv420p10le", NEAR),
    "hevc_10.mp4": (f"{X265} -pix_fmt yuv420p10le", NEAR),
    "interlaced.mp4": (f"{X264} -pix_fmt yuv420p {INTERLACED} -x264opts tff=1", CHROMA),
    "interlaced.mpg": (f"-c:v mpeg2video -q:v 2 {INTERLACED} -field_order tt", CHROMA),
}
ODD_KINDS = {
    "444.mkv": (f"{X264} -pix_fmt yuv444p", SAME),
    "gray.mp4": (f"{X264} -pix_fmt gray", SAME),
    "hevc.mp4": (f"{X265} -pix_fmt yuv444p", SAME),
    "vp9.webm": (f"{VP9} -pix_fmt yuv420p", NEAR),  # half a chroma sample at the edge
    "mjpeg.avi": ("-c:v mjpeg -q:v 2 -pix_fmt yuvj420p", NEAR),
    "raw.avi": ("-c:v rawvideo -pix_fmt bgr24", SAME),
}


@pytest.mark.parametrize("name", KINDS)
def test_frames_equal_ffmpeg(tmp_path, name):
    check(encode(tmp_path / name, KINDS[name]))


@pytest.mark.parametrize("name", ROUNDED)
def test_deep_and_interlaced_frames_nearly_equal_ffmpeg(tmp_path, name):
    options, least = ROUNDED[name]
    check(encode(tmp_path / name, options), least=least)


@pytest.mark.parametrize("name", ODD_KINDS)
def test_odd_frame_sizes(tmp_path, name):
    options, least = ODD_KINDS[name]
    check(encode(tmp_path / name, options, ODD), least=least)
    assert next(frames(tmp_path / name))[1].shape == (*ODD[::-1], 3)


@pytest.fixture(scope="module")
def plain(tmp_path_factory) -> Path:
    return encode(tmp_path_factory.mktemp("plain") / "plain.mp4")


@pytest.mark.parametrize("window", ["left=4:right=6:bottom=2", "left=14:top=2", "right=18"])
def test_cropping_in_the_header(plain, tmp_path, window):
    crop = ":".join(f"crop_{each}" for each in window.split(":"))
    path = copied(plain, tmp_path / "window.mp4", f"-bsf:v h264_metadata={crop}")
    theirs, ours = expected(path), [image for _, image in frames(path)]
    assert [image.shape for image in ours] == [image.shape for image in theirs] != [image.shape for image in painted()]
    assert min(cv2.PSNR(mine, other) for mine, other in zip(ours, theirs, strict=True)) > SAME


@pytest.mark.parametrize("angle", [90, 180, 270])
@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_rotation_by_display_matrix(plain, tmp_path, angle, suffix):
    path = copied(plain, tmp_path / f"turned{suffix}", before=f"-display_rotation {angle}")
    check(path, turned=-angle // 90)


def test_mirroring_by_display_matrix(plain, tmp_path):
    path = copied(plain, tmp_path / "mirrored.mp4", before="-display_hflip")
    ours = [image for _, image in frames(path)]
    assert [number(image[:, ::-1]) for image in ours] == ALL
    assert min(cv2.PSNR(mine, other) for mine, other in zip(ours, expected(path), strict=True)) > SAME


def test_rotation_by_other_angles_is_an_error(plain, tmp_path):
    path = copied(plain, tmp_path / "askew.mp4", before="-display_rotation 45")
    with pytest.raises(VideoError, match=r"askew\.mp4.*multiple of 90 degrees"):
        list(frames(path))
    assert upright(painted()[0], np.zeros(9, np.int32)) is None


def test_an_edit_list_hides_the_first_frames(plain, tmp_path):
    path = copied(plain, tmp_path / "edit.mp4", before="-ss 0.32")
    check(path, ALL[8:])
    source = FrameSource(path)
    assert (source.promised, source.count()) == (COUNT, 12)
    list(source.frames())
    assert source.faults() == [], "they are hidden, not missing"


@pytest.mark.parametrize(("suffix", "first"), [(".mp4", 7), (".mkv", 6), (".ts", 6)])  # mp4's edit list hides one more
def test_an_open_gop_starts_at_the_first_complete_frame(tmp_path, suffix, first):
    whole = encode(tmp_path / ("whole.ts" if suffix == ".ts" else "whole.mp4"), KINDS["open_gop.mp4"])
    check(copied(whole, tmp_path / f"start{suffix}", before="-ss 0.25"), ALL[first:])


def test_a_first_gop_without_key_frame(tmp_path):
    whole = encode(tmp_path / "whole.ts", "-c:v mpeg2video -q:v 2 -bf 2 -g 6")
    check(copied(whole, tmp_path / "broken.ts", "-bsf:v noise=drop=eq(n\\,0)"), ALL[6:])


@pytest.mark.parametrize("cover_first", [True, False])
def test_cover_images_are_ignored(plain, tmp_path, cover_first):
    cv2.imwrite(str(tmp_path / "cover.png"), np.zeros((400, 400, 3), np.uint8))
    inputs = [tmp_path / "cover.png", plain] if cover_first else [plain, tmp_path / "cover.png"]
    at = inputs.index(tmp_path / "cover.png")
    options = f"-map 0 -map 1 -c copy -disposition:v:{at} attached_pic".split()
    ffmpeg("-i", inputs[0], "-i", inputs[1], *options, tmp_path / "covered.mp4")
    check(tmp_path / "covered.mp4")
    sound = ("-f", "lavfi", "-i", "sine=d=1")
    ffmpeg(
        *sound, "-i", inputs[at], *options[:6], "-c:a", "aac", "-disposition:v", "attached_pic", tmp_path / "song.m4a"
    )
    with pytest.raises(VideoError, match="only a cover"):
        FrameSource(tmp_path / "song.m4a")


def test_the_larger_of_two_streams_is_read(plain, tmp_path):
    small = tmp_path / "small.mp4"
    ffmpeg("-i", plain, "-vf", "scale=80:60,negate", small)
    ffmpeg("-i", small, "-i", plain, "-map", 0, "-map", 1, "-c", "copy", tmp_path / "two.mkv")
    ours = [image for _, image in frames(tmp_path / "two.mkv")]
    assert [number(image) for image in ours] == ALL
    assert ours[0].shape == painted()[0].shape


def test_one_frame(tmp_path):
    check(encode(tmp_path / "one.mp4", count=1), [0])


def test_a_packed_bitstream(tmp_path):
    """DivX stores two frames in a packet, then an empty packet."""
    path = encode(tmp_path / "packed.avi", "-c:v libxvid -q:v 2 -bf 2")
    theirs = [number(image) for image in expected(path)]
    assert [number(image) for _, image in frames(path)] == theirs
    source = FrameSource(path)
    list(source.frames())
    assert source.faults() == [], "the empty packets are no missing frames"


def lying_mp4(source: Path, path: Path, count: int) -> Path:
    """Change the number of frames in the sample table of an mp4."""
    data = bytearray(source.read_bytes())
    place = data.index(b"stts") + 12
    assert struct.unpack(">I", data[place : place + 4]) == (COUNT,)
    data[place : place + 4] = struct.pack(">I", count)
    path.write_bytes(data)
    return path


def lying_avi(path: Path, count: int) -> Path:
    """Change the number of frames in both headers of an AVI."""
    data = bytearray(encode(path, KINDS["mjpeg.avi"]).read_bytes())
    for header, offset in ((b"avih", 24), (b"strh", 40)):
        place = data.index(header) + offset
        assert struct.unpack("<I", data[place : place + 4]) == (COUNT,)
        data[place : place + 4] = struct.pack("<I", count)
    path.write_bytes(data)
    return path


@pytest.fixture(params=["avi 7", "avi 90", "mp4 7", "mp4 90", "mkv 0", "ts 0"])
def lying(request, plain, tmp_path) -> tuple[Path, int]:
    """A file with a wrong number of frames in its header, and that number."""
    kind, count = request.param.split()
    path = tmp_path / f"lying.{kind}"
    if kind == "avi":
        lying_avi(path, int(count))
    elif kind == "mp4":
        lying_mp4(plain, path, int(count))
    else:
        copied(plain, path)
    return path, int(count)


def test_a_wrong_header_does_not_change_frames(lying):
    path, _ = lying
    check(path)
    assert FrameSource(path).count() == COUNT


def test_a_wrong_header_is_reported(lying):
    path, told = lying
    source = FrameSource(path)
    list(source.frames())
    missing = max(0, source.promised - COUNT)
    assert source.promised in (told, COUNT)
    assert source.faults() == ([f"{missing} of {told} frames in the header are missing"] if missing else [])


@pytest.mark.parametrize(
    ("every", "most", "kept"), [(3, None, ALL[::3]), (1, 5, [0, 5, 10, 14, 19]), (4, 2, [0, 16]), (1, 50, ALL)]
)
def test_sampled_frames_keep_their_indices(lying, every, most, kept):
    source = FrameSource(lying[0])
    chosen = list(source.frames(FrameSampler(every, most, source.count())))
    assert [index for index, _ in chosen] == [number(image) for _, image in chosen] == kept


def test_max_frames_is_an_upper_bound():
    assert [position for position in range(100) if FrameSampler(2, 5, 0)(position)] == [0, 2, 4, 6, 8]
    assert [position for position in range(100) if FrameSampler(1, 5, 3)(position)] == [0, 1, 2]


def test_a_stream_that_begins_later_in_the_file_is_passed_over(tmp_path):
    """Packets of MPEG-TS with the number of no known stream begin a new one, on which PyAV fails."""
    clip = tmp_path / "clip.ts"
    remuxed(FOLDER / "man_a.mp4", clip)
    data = clip.read_bytes()
    for place in (175, 249, 287):
        changed = bytearray(data)
        changed[188 * place + 1 : 188 * place + 3] = bytes([data[188 * place + 1] & 0xE0 | 0x12, 0x34])
        clip.write_bytes(changed)
        source = FrameSource(clip)
        assert sum(1 for _ in source.frames()) >= 70 and re.search(
            r"\d+ frames? (is|are) damaged", str(source.faults())
        )


@pytest.mark.parametrize("suffix", [".mp4", ".mkv"])
def test_tags_that_are_no_utf_8_show_their_bytes(plain, tmp_path, suffix):
    path = remuxed(plain, tmp_path / f"tags{suffix}", title="caf?")
    data = path.read_bytes()
    assert data.count(b"caf?") == 1
    path.write_bytes(data.replace(b"caf?", b"caf\xe9"))
    source = FrameSource(path)
    assert source.header.tags["title"] == r"caf\xe9"
    assert settle(path) == path and [number(image) for _, image in source.frames()] == ALL

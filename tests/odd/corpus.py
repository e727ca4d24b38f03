"""Small odd files, made by code, and what is right for each: a row of `MEDIA` per file.

Each shows the first frames of `PLAIN`, stored in an odd way. So what is read has to look like the plain frames.
"""

import io
import struct
import subprocess
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import av
import cv2
import imageio_ffmpeg
import numpy as np
from PIL import Image, ImageCms

from ..conftest import sample_frames

FFMPEG = imageio_ffmpeg.get_ffmpeg_exe()
PLAIN = "man_a.mp4"
COUNT, WIDTH, HEIGHT = 10, 400, 300
X264 = "-c:v libx264 -preset veryfast -crf 12 -pix_fmt yuv420p"
PNG_END = b"\0\0\0\0IEND"


@dataclass(frozen=True)
class Odd:
    """What is right for a file.

    Attributes:
        make: writes it.
        frames: number of frames that a player shows; 0 if it cannot be read.
        size: width and height as a player shows it, in pixels.
        times: timestamps of some frames, in seconds.
        near: least PSNR of its first frame to the plain one, in dB; None if it shows something else.
        says: words of its reason or its notes.
        quiet: whether it has no notes.
    """

    make: Callable[[Path], object]
    frames: int = COUNT
    size: tuple[int, int] = (WIDTH, HEIGHT)
    times: dict[int, float] | None = None
    near: float | None = 26
    says: str = ""

    @property
    def quiet(self) -> bool:
        return not self.says


@cache
def plain() -> list[np.ndarray]:
    """The plain frames, uint8 BGR."""
    return sample_frames(PLAIN, COUNT)


def ffmpeg(*words, data: bytes | None = None) -> None:
    subprocess.run([FFMPEG, "-y", "-v", "error", *map(str, words)], input=data, check=True, capture_output=True)


def video(options: str, *, before: str = "") -> Callable[[Path], None]:
    """Encode the plain frames with these options."""

    def make(path: Path) -> None:
        source = f"-f rawvideo -pix_fmt bgr24 -s {WIDTH}x{HEIGHT} -r 25 {before} -i -".split()
        ffmpeg(*source, *options.split(), path, data=b"".join(frame.tobytes() for frame in plain()))

    return make


def remuxed(options: str, *, before: str = "", first: str = X264) -> Callable[[Path], None]:
    """Encode the plain frames, then change the container alone."""

    def make(path: Path) -> None:
        whole = path.with_name(f"whole-{path.stem}.mp4")
        video(first)(whole)
        ffmpeg(*before.split(), "-i", whole, "-c", "copy", *options.split(), path)
        whole.unlink()

    return make


def hdr(transfer: str) -> Callable[[Path], None]:
    """Encode the plain frames as HDR, white at 203 cd/m2."""
    linear = "setparams=colorspace=bt709:color_primaries=bt709:color_trc=bt709:range=tv,zscale=t=linear:npl=203,format=gbrpf32le"
    target = f"zscale=p=bt2020:t={transfer}:m=bt2020nc:r=tv:npl=203,format=yuv420p10le"
    tags = f"log-level=none:colorprim=bt2020:transfer={transfer}:colormatrix=bt2020nc"
    codec = f"-c:v libx265 -preset ultrafast -crf 12 -x265-params {tags}"
    return video(f"-vf scale=out_color_matrix=bt709,format=yuv444p,{linear},{target} {codec}")


def with_empty_packets(path: Path) -> None:
    """Theora whose every other packet is empty: it repeats the frame before."""
    whole = path.with_name("whole-theora.ogv")
    video("-c:v libtheora -q:v 10")(whole)
    with av.open(str(whole)) as source, av.open(str(path), "w") as target:
        stream = source.streams.video[0]
        copy = target.add_stream_from_template(stream, opaque=True)
        for packet in source.demux(stream):
            if packet.dts is not None:
                at = 2 * packet.dts
                empty = av.Packet(b"")
                for each, time in ((packet, at), (empty, at + 1)):
                    each.stream, each.pts, each.dts = copy, time, time
                    each.time_base = copy.time_base
                    target.mux(each)
    whole.unlink()


def with_clean_aperture(path: Path) -> None:
    """MP4 whose red border is outside of its clean aperture."""
    video(f"-vf pad=iw+64:ih+32:32:16:red {X264}")(path)
    data = bytearray(path.read_bytes())
    box = struct.pack(">I4s8i", 40, b"clap", WIDTH, 1, HEIGHT, 1, 0, 1, 0, 1)
    parents = [data.index(name) - 4 for name in (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")]
    entry = data.index(b"avc1", parents[-1]) - 4
    end = entry + struct.unpack(">I", data[entry : entry + 4])[0]
    data[end:end] = box
    for start in (*parents, entry):
        data[start : start + 4] = struct.pack(">I", struct.unpack(">I", data[start : start + 4])[0] + len(box))
    path.write_bytes(data)


def in_matroska(make: Callable[[Path], object]) -> Callable[[Path], None]:
    """What another row makes, copied to Matroska."""

    def other(path: Path) -> None:
        first = path.with_name(f"whole-{path.stem}.mp4")
        make(first)
        ffmpeg("-i", first, "-c", "copy", path)
        first.unlink()

    return other


def two_streams(path: Path) -> None:
    """A larger video, its colours inverted, beside the default one."""
    first, second = path.with_name("whole-1.mkv"), path.with_name("whole-2.mkv")
    video(X264)(first)
    video(f"-vf negate,scale=800:600 {X264}")(second)
    ffmpeg(
        "-i",
        second,
        "-i",
        first,
        *["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "0", "-disposition:v:1", "default"],
        path,
    )
    first.unlink(), second.unlink()


def with_cover(path: Path) -> None:
    """A large cover image before the video."""
    cover, first = path.with_name("whole-cover.png"), path.with_name("whole-3.mp4")
    cv2.imwrite(str(cover), np.zeros((900, 900, 3), np.uint8))
    video(X264)(first)
    ffmpeg(
        "-i", cover, "-i", first, *["-map", "0", "-map", "1", "-c", "copy", "-disposition:v:0", "attached_pic"], path
    )
    cover.unlink(), first.unlink()


def pillow(
    format: str, *, mode: str = "RGB", orientation: int = 1, count: int = 1, **options
) -> Callable[[Path], None]:
    """Save with Pillow, stored so that it is upright in this EXIF orientation."""

    def make(path: Path) -> None:
        if format == "HEIF":
            __import__("pytest").importorskip("pillow_heif").register_heif_opener()
        images = [
            Image.fromarray(stored(frame, orientation)[..., ::-1].copy()).convert(mode) for frame in plain()[:count]
        ]
        if orientation > 1:
            exif = Image.Exif()
            exif[0x0112] = orientation
            options["exif"] = exif.tobytes()
            if format == "TIFF":
                options["tiffinfo"] = {0x0112: orientation}
                del options["exif"]
        if count > 1:
            options.update(save_all=True, append_images=images[1:])
        images[0].save(path, format, **options)

    return make


def stored(image: np.ndarray, orientation: int) -> np.ndarray:
    """The image as it is stored in an EXIF orientation, 1 to 8."""
    undo = {
        1: lambda a: a, 2: np.fliplr, 3: lambda a: np.rot90(a, 2), 4: np.flipud, 5: lambda a: a.transpose(1, 0, 2),
        6: lambda a: np.rot90(a, 1), 7: lambda a: np.rot90(a, 2).transpose(1, 0, 2), 8: lambda a: np.rot90(a, -1),
    }  # fmt: skip
    return np.ascontiguousarray(undo[orientation](image))


def motion_jpeg(orientation: int) -> Callable[[Path], None]:
    """A stream of JPEGs with EXIF, as some cameras write them."""

    def make(path: Path) -> None:
        pillow("JPEG", quality=95, orientation=orientation)(path)
        path.write_bytes(path.read_bytes() * COUNT)

    return make


def opencv(suffix: str, change=lambda image: image, *options: int) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(cv2.imencode(suffix, change(plain()[0]), options)[1].tobytes())


def truncated(make: Callable[[Path], object], share: float) -> Callable[[Path], None]:
    """The first part of what another row makes."""

    def cut(path: Path) -> None:
        make(path)
        data = path.read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return cut


def damaged(make: Callable[[Path], object], *places: float) -> Callable[[Path], None]:
    """What another row makes, with zeros instead of some bytes; its header and its end are whole."""

    def spoil(path: Path) -> None:
        make(path)
        data = bytearray(path.read_bytes())
        for place in places:
            at = int(len(data) * place)
            data[at : at + 60] = bytes(60)
        path.write_bytes(data)

    return spoil


def with_bad_marker(path: Path) -> None:
    """A JPEG with a marker that no decoder knows among its data: OpenCV shows the part before it."""
    pillow("JPEG", quality=95)(path)
    data = bytearray(path.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 2] = b"\xff\xb2"
    path.write_bytes(data)


P3 = ((0.51512, 0.24120, -0.00105), (0.29198, 0.69225, 0.04189), (0.15710, 0.06657, 0.78407))  # red, green, blue as XYZ
ADOBE = ((0.60974, 0.31111, 0.01947), (0.20528, 0.62567, 0.06087), (0.14919, 0.06322, 0.74457))


def profile(primaries) -> bytes:
    """A colour profile (ICC 2.4) of these primaries, in the light of D50, and a gamma of 2.2."""

    def numbers(values) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    white = numbers((0.9642, 1.0, 0.8249))
    parts = {
        b"desc": b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(79),
        b"cprt": b"text\0\0\0\0none\0",
        b"wtpt": b"XYZ \0\0\0\0" + white,
        **{b"%cXYZ" % name: b"XYZ \0\0\0\0" + numbers(each) for name, each in zip(b"rgb", primaries, strict=True)},
        **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), b"curv\0\0\0\0" + struct.pack(">IH", 1, round(2.2 * 256))),
    }
    start = 128 + 4 + 12 * len(parts)
    table, body = b"", b""
    for name, part in parts.items():
        table += name + struct.pack(">II", start + len(body), len(part))
        body += part + bytes(-len(part) % 4)
    head = struct.pack(">I4sI4s4s4s12x4s", start + len(body), b"", 0x02400000, b"mntr", b"RGB ", b"XYZ ", b"acsp")
    head = (head.ljust(68, b"\0") + white).ljust(128, b"\0")
    return head + struct.pack(">I", len(parts)) + table + body


def in_profile(suffix: str, primaries) -> Callable[[Path], None]:
    """The plain frame in the colours of a profile, which it holds."""

    def make(path: Path) -> None:
        target = ImageCms.ImageCmsProfile(io.BytesIO(profile(primaries)))
        shown = Image.fromarray(np.ascontiguousarray(plain()[0][..., ::-1]))
        image = ImageCms.profileToProfile(shown, ImageCms.createProfile("sRGB"), target)
        kind = {".jpg": "JPEG", ".tif": "TIFF", ".heic": "HEIF"}.get(suffix, suffix[1:].upper())
        if kind == "HEIF":
            __import__("pytest").importorskip("pillow_heif").register_heif_opener()
        more = {} if kind in ("PNG", "TIFF") else {"quality": 95}
        image.save(path, kind, icc_profile=profile(primaries), **more)

    return make


def of_png(path: Path) -> None:
    """A video of PNG images with a colour profile, turned by its container."""
    image = path.with_name("whole-image.png")
    in_profile(".png", P3)(image)
    ffmpeg("-display_rotation", 90, "-framerate", 25, "-loop", 1, "-i", image, "-frames:v", COUNT, "-c", "copy", path)
    image.unlink()


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def huge(path: Path, side: int = 9000) -> None:
    """A PNG of one bit a pixel with 81 million pixels."""
    rows = zlib.compress(bytes((1 + side // 8) * side), 9)
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b""))


def short_header(path: Path) -> None:
    """A PNG whose header has no height."""
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", bytes(5)) + chunk(b"IEND", b""))


def bad_exif(path: Path) -> None:
    """A JPEG with EXIF that ends within an orientation, which is 1 whoever reads it."""
    pillow("JPEG", quality=95)(path)
    exif = b"Exif\0\0II*\0\x08\0\0\0\x01\0" + struct.pack("<HHII", 0x0112, 3, 60_000, 1)
    data = path.read_bytes()
    path.write_bytes(data[:2] + b"\xff\xe1" + struct.pack(">H", len(exif) + 2) + exif + data[2:])


def bad_page(path: Path) -> None:
    """A TIFF with a second page without a size."""
    pillow("TIFF")(path)
    data = bytearray(path.read_bytes())
    (first,) = struct.unpack_from("<I", data, 4)
    (tags,) = struct.unpack_from("<H", data, first)
    struct.pack_into("<I", data, first + 2 + 12 * tags, len(data))
    path.write_bytes(data + struct.pack("<HHHIII", 1, 0x0103, 3, 1, 1, 0))


def unknown_codec(path: Path) -> None:
    """MP4 with a codec that FFmpeg doesn't know."""
    video(X264)(path)
    data = path.read_bytes()
    entry = data.index(b"avc1", data.index(b"stsd"))
    path.write_bytes(data[:entry] + b"zz99" + data[entry + 4 :])


def hdr_png(path: Path) -> None:
    """PQ in a PNG of 16 bits, which a chunk says."""
    code = pq_of_bt709(plain()[0])
    data = cv2.imencode(".png", code)[1].tobytes()
    path.write_bytes(data[:33] + chunk(b"cICP", bytes([9, 16, 0, 1])) + data[33:])


def wide(primaries: str) -> Callable[[Path], None]:
    """The plain frames coded in wider primaries, which only the stream says, without HDR."""
    return video(f"-vf colorspace=iall=bt709:itrc=srgb:all=bt709:trc=srgb:primaries={primaries} {X264}")


def wide_png(path: Path) -> None:
    """Display P3 in a PNG, which a chunk says."""
    from_bt709 = np.array([[0.822462, 0.177538, 0.0], [0.033194, 0.966806, 0.0], [0.017083, 0.072397, 0.910520]])
    code = plain()[0][..., ::-1] / 255
    light = np.where(code <= 0.04045, code / 12.92, ((code + 0.055) / 1.055) ** 2.4) @ from_bt709.T
    code = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    data = cv2.imencode(".png", np.rint(255 * code[..., ::-1]).astype(np.uint8))[1].tobytes()
    path.write_bytes(data[:33] + chunk(b"cICP", bytes([12, 13, 0, 1])) + data[33:])


def pq_of_bt709(image: np.ndarray) -> np.ndarray:
    """BT.709 to BT.2020 in PQ, white at 203 cd/m2: uint8 BGR to uint16 BGR (ITU-R BT.2087, SMPTE ST 2084)."""
    to_bt2020 = np.array([[0.6274, 0.3293, 0.0433], [0.0691, 0.9195, 0.0114], [0.0164, 0.0880, 0.8956]])
    light = (image[..., ::-1] / 255) ** 2.4 @ to_bt2020.T * 203 / 10_000
    power = light ** (1305 / 8192)
    code = ((107 / 128 + 2413 / 128 * power) / (1 + 2392 / 128 * power)) ** (2523 / 32)
    return np.rint(np.clip(code[..., ::-1], 0, 1) * 65535).astype(np.uint16)


ONE = {"frames": 1}
SEVERAL = {"frames": 1, "says": "only the first was read"}
MEDIA: dict[str, Odd] = {
    # packets and times
    "plain.mp4": Odd(video(X264), times={5: 0.2}),
    "empty_packets.ogv": Odd(with_empty_packets, times={1: 0.08, 9: 0.72}),
    "dropped.avi": Odd(
        video("-vf setpts=(N+floor(N/3)*2)/25/TB -fps_mode passthrough -c:v mpeg4 -q:v 2"), times={2: 0.08, 3: 0.2}
    ),
    "variable.mp4": Odd(
        video(
            f"-vf settb=1/600,setpts=if(lt(N\\,5)\\,N*300\\,1500+(N-5)*20) -fps_mode passthrough -enc_time_base 1/600 {X264}"
        ),
        times={4: 2.0, 5: 2.5, 9: 2.5 + 4 / 30},
    ),
    "late_start.ts": Odd(remuxed("-muxdelay 0 -output_ts_offset 100"), times={0: 0.0, 5: 0.2}),
    "theora.ogv": Odd(video("-c:v libtheora -q:v 10"), times={5: 0.2}),
    # geometry
    "pal.mp4": Odd(video(f"-vf scale=280:300,setsar=64/45 {X264}"), size=(398, 300)),
    "tall_pixels.mkv": Odd(video(f"-vf scale=400:150,setsar=1/2 {X264}"), size=(200, 150), near=24),
    "turned.mp4": Odd(remuxed("", before="-display_rotation 90"), size=(HEIGHT, WIDTH), near=None),
    "png.mov": Odd(of_png, size=(HEIGHT, WIDTH), near=None),
    "turned_pal.mp4": Odd(
        remuxed("", before="-display_rotation 180", first=f"-vf vflip,hflip,scale=280:300,setsar=64/45 {X264}"),
        size=(398, 300),
    ),
    **{f"exif{n}.mjpeg": Odd(motion_jpeg(n)) for n in (2, 4, 6, 7)},
    "mirrored.mp4": Odd(remuxed("", before="-display_hflip", first=f"-vf hflip {X264}")),
    "clean_aperture.mp4": Odd(with_clean_aperture),
    "clean_aperture.mkv": Odd(in_matroska(with_clean_aperture)),
    "cropped.mp4": Odd(
        remuxed("-bsf:v h264_metadata=crop_left=32:crop_right=32", first=f"-vf pad=iw+64:ih:32:0:red {X264}")
    ),
    "askew.mp4": Odd(remuxed("", before="-display_rotation 45"), frames=0, says="90 degrees"),
    # colours
    "pq.mp4": Odd(hdr("smpte2084"), says="HDR (PQ), tone-mapped to BT.709"),
    "hlg.mkv": Odd(hdr("arib-std-b67"), says="HDR (HLG), tone-mapped to BT.709", near=24),
    "pq.png": Odd(hdr_png, **ONE),
    "p3_tag.mp4": Odd(wide("smpte432")),
    "bt2020_tag.mkv": Odd(wide("bt2020")),
    "p3_tag.png": Odd(wide_png, near=40, **ONE),
    "dolby_vision.mp4": Odd(
        video("-c:v libx265 -preset ultrafast -x265-params log-level=none -strict unofficial -tag:v dvh1"),
        frames=0,
        says="Dolby Vision (dvh1)",
    ),
    **{f"p3{kind}": Odd(in_profile(kind, P3), near=40, **ONE) for kind in (".jpg", ".png", ".webp", ".tif", ".avif")},
    **{f"adobe{kind}": Odd(in_profile(kind, ADOBE), near=40, **ONE) for kind in (".jpg", ".heic")},
    # streams
    "two_streams.mkv": Odd(two_streams, says="2 video streams: the default one was read"),
    "cover.mp4": Odd(with_cover),
    # images: orientation
    **{f"exif{n}.jpg": Odd(pillow("JPEG", quality=95, orientation=n), **ONE) for n in range(2, 9)},
    **{f"exif{n}.png": Odd(pillow("PNG", orientation=n), **ONE) for n in (3, 6)},
    **{f"exif{n}.tif": Odd(pillow("TIFF", orientation=n), **ONE) for n in (2, 6, 8)},
    **{f"exif{n}.webp": Odd(pillow("WEBP", quality=95, orientation=n), **ONE) for n in (5, 6)},
    **{f"exif{n}.avif": Odd(pillow("AVIF", quality=95, orientation=n), **ONE) for n in (2, 6, 7)},
    **{f"exif{n}.heic": Odd(pillow("HEIF", quality=95, orientation=n), **ONE) for n in (6,)},
    # images: formats
    "tiles.heic": Odd(pillow("HEIF", quality=95, tile_size=128), **ONE),
    "plain.avif": Odd(pillow("AVIF", quality=95), **ONE),
    "plain.jp2": Odd(pillow("JPEG2000"), **ONE),
    "plain.bmp": Odd(pillow("BMP"), **ONE),
    "palette.bmp": Odd(pillow("BMP", mode="P"), near=15, **ONE),
    "plain.webp": Odd(pillow("WEBP", quality=95), **ONE),
    "lzw.tif": Odd(pillow("TIFF", compression="tiff_lzw"), **ONE),
    "cmyk.tif": Odd(pillow("TIFF", mode="CMYK"), **ONE),
    "deep.tif": Odd(opencv(".tif", lambda image: image.astype(np.uint16) * 257), **ONE),
    "cmyk.jpg": Odd(pillow("JPEG", mode="CMYK", quality=95), **ONE),
    "progressive.jpg": Odd(pillow("JPEG", progressive=True, quality=95), **ONE),
    "sampling.jpg": Odd(opencv(".jpg", lambda image: image, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, 0x121111), **ONE),
    "several.jpg": Odd(pillow("MPO", count=2, quality=95), **ONE),
    "deep.png": Odd(opencv(".png", lambda image: image.astype(np.uint16) * 257), **ONE),
    "palette.png": Odd(pillow("PNG", mode="P"), near=15, **ONE),
    "opacity.png": Odd(pillow("PNG", mode="RGBA"), **ONE),
    "plain.jfif": Odd(pillow("JPEG", quality=95), **ONE),
    "png_in_name_only.png": Odd(pillow("JPEG", quality=95), **ONE),
    "image_in_fact.mp4": Odd(pillow("JPEG", quality=95, orientation=6), **ONE),
    # animations
    "animated.gif": Odd(pillow("GIF", count=3, duration=200), frames=3, times={2: 0.4}, near=15),
    "animated.webp": Odd(pillow("WEBP", count=3, quality=95), **SEVERAL),
    "animated.png": Odd(pillow("PNG", count=3), **SEVERAL),
    "animated.avif": Odd(pillow("AVIF", count=3, quality=95), **SEVERAL),
    "pages.tif": Odd(pillow("TIFF", count=3), **SEVERAL),
    # a part, or too much
    "truncated.jpg": Odd(truncated(pillow("JPEG"), 0.9), frames=0, says="truncated or damaged"),
    "truncated.png": Odd(truncated(pillow("PNG"), 0.9), frames=0, says="truncated or damaged"),
    "truncated.tif": Odd(truncated(pillow("TIFF"), 0.9), frames=0, says="damaged"),
    "truncated.webp": Odd(truncated(pillow("WEBP"), 0.9), frames=0, says="damaged"),
    "truncated.avif": Odd(truncated(pillow("AVIF"), 0.9), frames=0, says="damaged"),
    "truncated.bmp": Odd(truncated(pillow("BMP"), 0.9), frames=0, says="damaged"),
    "damaged.jpg": Odd(damaged(pillow("JPEG", quality=95), 0.3, 0.5, 0.7), says="damaged JPEG: ", near=None, frames=1),
    "damaged_progressive.jpg": Odd(
        damaged(pillow("JPEG", quality=95, progressive=True), 0.6), says="damaged JPEG: ", near=None, frames=1
    ),
    "damaged_turned.jpg": Odd(
        damaged(pillow("JPEG", quality=95, orientation=6), 0.6), says="damaged JPEG: ", near=None, frames=1
    ),
    "bad_marker.jpg": Odd(with_bad_marker, frames=0, says="truncated or damaged"),
    "damaged_lzw.tif": Odd(
        damaged(pillow("TIFF", compression="tiff_lzw"), 0.3, 0.5), says="damaged TIFF: ", near=None, frames=1
    ),
    "damaged.png": Odd(damaged(pillow("PNG"), 0.6), frames=0, says="truncated or damaged"),
    "damaged.mjpeg": Odd(damaged(motion_jpeg(1), 0.55, 0.85), says="2 frames are damaged", near=None),
    "damaged.mp4": Odd(damaged(video(X264), 0.5), says="1 frame is damaged", near=None),
    "huge.png": Odd(huge, frames=0, says="more than 67,108,864 pixels"),
    "short_header.png": Odd(short_header, frames=0, says="not an image, or damaged"),
    "unknown_codec.mp4": Odd(unknown_codec, frames=0, says="unknown codec"),
    "bad_exif.jpg": Odd(bad_exif, **ONE),
    "bad_page.tif": Odd(bad_page, **ONE),
    "empty.jpg": Odd(lambda path: path.write_bytes(b""), frames=0, says="empty"),
}

"""A judged video with what was seen in it: each face's box and score, what speaks for fake, and the scores so far."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.explain.top_frames import speaking_for_fake
from deepfake_cli.faces.crop import crop, square_of
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Moment, Timeline
from deepfake_cli.media.video import FrameSampler, FrameSource
from deepfake_cli.storage.files import whole

BATCH = 16  # frames at a time
WIDEST = 1280  # pixels: longer sides of larger videos
STRIP = 64  # pixels below the picture for the scores
STRONG = 8.0  # what a place adds to the logit of fake where it is drawn at its brightest, if none is stronger
REAL, FAKE, LINE, GREY = (0xB2, 0x72, 0x00), (0x00, 0x5E, 0xD5), (230, 230, 230), (120, 120, 120)  # BGR
CRF = "20"

Shown = tuple[np.ndarray, list[Moment]]


def film(
    path: Path, verdict: Verdict, detector: Detector, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Write the film as MP4, whole or not at all; it has the frames that were judged and shows as long as the video.

    Args:
        path: of the film.
        verdict: of a video with a face, which is decoded again.
        detector: what judged it.
        progress: called with how many of how many frames are done.
    """
    import av

    lines = [face.timeline for face in verdict.faces]
    frames = np.unique(np.concatenate([line.frames for line in lines]))
    step = float(np.median(np.diff(frames))) if len(frames) > 1 else 1.0
    rate = Fraction((verdict.fps or 25.0) / step).limit_denominator(1001)
    done, strongest, stream = 0, STRONG, None
    with whole(path) as partial, av.open(str(partial), "w", options={"movflags": "faststart"}) as container:
        shown = _frames(verdict.path, frames, lines)
        while batch := list(islice(shown, BATCH)):
            heat = _heat(batch, detector)
            strongest = max([strongest, *(float(each.max()) for each in heat)])
            maps = iter(heat)
            for image, moments in batch:
                picture = _drawn(
                    image, [(moment, next(maps, None)) for moment in moments], verdict, detector, strongest
                )
                picture = np.concatenate([picture, _strip(lines[0], moments, verdict, picture.shape[1])])
                if stream is None:
                    stream = container.add_stream("libx264", rate=rate, options={"crf": CRF})
                    stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
                container.mux(stream.encode(av.VideoFrame.from_ndarray(picture, format="bgr24")))
            done += len(batch)
            progress(done, len(frames))
        if stream is not None:
            container.mux(stream.encode(None))


def _frames(path: Path, frames: np.ndarray, lines: list[Timeline]) -> Iterator[Shown]:
    """The frames in which there is a face, with all their faces."""
    keep, places, known = FrameSampler(), [0] * len(lines), [line.frames for line in lines]
    keep.spread = frozenset(frames.tolist())
    for index, image in FrameSource(path).frames(keep):
        moments = []
        for number, line in enumerate(lines):
            if places[number] < len(line) and known[number][places[number]] == index:
                moments.append(line[places[number]])
                places[number] += 1
        if image is not None and moments:
            yield image, moments


def _heat(batch: list[Shown], detector: Detector) -> list[np.ndarray]:
    traits = detector.traits
    crops = [
        crop(image, moment.box, margin=traits.margin, size=traits.image_size)
        for image, moments in batch
        for moment in moments
    ]
    return speaking_for_fake(crops, detector)


def _drawn(
    image: np.ndarray,
    faces: list[tuple[Moment, np.ndarray | None]],
    verdict: Verdict,
    detector: Detector,
    strongest: float,
) -> np.ndarray:
    """A frame with its faces' boxes, scores and maps, no larger than `WIDEST` and of even sides."""
    picture = image.copy()
    for moment, heat in faces:
        if heat is not None:
            _lit(picture, square_of(moment.box, detector.traits.margin), np.sqrt(heat / strongest))
    for moment, _ in faces:
        _framed(picture, moment, verdict.threshold)
    scale = min(1.0, WIDEST / max(picture.shape[:2]))
    height, width = (max(2, round(side * scale)) // 2 * 2 for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _lit(picture: np.ndarray, square: tuple[int, int, int], heat: np.ndarray) -> None:
    """Lay a map, in 0..1, over the square that it is of; where it is 0 the picture stays as it is."""
    left, top, side = square
    large = np.clip(cv2.resize(heat.astype(np.float32), (side, side)), 0, 1)
    x0, y0 = max(0, left), max(0, top)
    part = picture[y0 : max(0, top + side), x0 : max(0, left + side)]
    large = large[y0 - top :, x0 - left :][: part.shape[0], : part.shape[1]]
    colours = cv2.applyColorMap(np.uint8(255 * large), cv2.COLORMAP_INFERNO)
    share = 0.75 * large[..., None]
    part[:] = np.rint((1 - share) * part + share * colours)


def _framed(picture: np.ndarray, moment: Moment, threshold: float) -> None:
    x0, y0, x1, y1 = (round(value) for value in moment.box[:4])
    known = moment.score == moment.score
    colour = GREY if not known else FAKE if moment.score >= threshold else REAL
    thick = max(1, round(max(picture.shape[:2]) / 400))
    cv2.rectangle(picture, (x0, y0), (x1, y1), colour, thick, cv2.LINE_AA)
    words, size = f"{moment.score:.2f}" if known else "not judged", max(0.5, max(picture.shape[:2]) / 900)
    for ink, wide in (((0, 0, 0), 3 * thick), ((255, 255, 255), thick)):
        cv2.putText(
            picture, words, (x0, max(12, y0 - 4 * thick)), cv2.FONT_HERSHEY_SIMPLEX, size, ink, wide, cv2.LINE_AA
        )


def _strip(line: Timeline, moments: list[Moment], verdict: Verdict, width: int) -> np.ndarray:
    """The scores of the first face: what was until now bright, what comes grey; across it the threshold."""
    strip = np.full((STRIP, width, 3), 24, np.uint8)
    frames, scores = line.frames, line.scores
    now = moments[0].frame
    across = (frames - frames[0]) / max(1, frames[-1] - frames[0]) * (width - 1)
    points = np.stack([across, 4 + (STRIP - 8) * (1 - scores)], axis=1)[~np.isnan(scores)].astype(np.int32)
    level = round(4 + (STRIP - 8) * (1 - verdict.threshold))
    cv2.line(strip, (0, level), (width, level), GREY, 1)
    seen = int((frames[~np.isnan(scores)] <= now).sum())
    cv2.polylines(strip, [points], isClosed=False, color=GREY, lineType=cv2.LINE_AA)
    cv2.polylines(strip, [points[:seen]], isClosed=False, color=LINE, thickness=2, lineType=cv2.LINE_AA)
    return strip

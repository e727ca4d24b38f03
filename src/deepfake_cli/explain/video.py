"""The annotated video: box, score and heat map of each face, and a plot of the scores."""

from collections.abc import Callable, Iterator
from fractions import Fraction
from itertools import islice
from pathlib import Path

import cv2
import numpy as np

from deepfake_cli.explain.boxes import GREY, draw_box
from deepfake_cli.explain.top_frames import heat_maps
from deepfake_cli.faces.crop import crop, square_of
from deepfake_cli.inference.detector import Detector
from deepfake_cli.inference.result import Verdict
from deepfake_cli.inference.timeline import Moment, Timeline
from deepfake_cli.media.video import FrameSource
from deepfake_cli.storage.files import whole
from deepfake_cli.storage.json_files import json_text

BATCH = 16  # frames
WIDEST = 1280  # pixels: longest side; larger videos are shrunk
PLOT = 64  # pixels: height of the plot of scores below the frame
STRONG = 8.0  # contribution to the logit drawn brightest, unless there is a stronger one
LINE = (230, 230, 230)
CRF = "20"
TICK = Fraction(1, 90_000)  # seconds
FPS = 25  # of folders of images

Shown = tuple[np.ndarray, list[Moment]]


def write_video(
    path: Path, verdict: Verdict, detector: Detector, progress: Callable[[int, int], None] = lambda done, total: None
) -> None:
    """Write the judged frames as MP4, whole or not at all, with the duration of the original.

    Args:
        path: of the MP4.
        verdict: of a video with a face; the video is decoded again.
        detector: that gave the verdict.
        progress: called with frames done and frames in total.
    """
    import av

    lines = [face.timeline for face in verdict.faces]
    frames = np.unique(np.concatenate([line.frames for line in lines]))
    first, last = int(frames[0]), -1
    done, strongest, stream = 0, STRONG, None
    with whole(path) as partial, av.open(str(partial), "w", options={"movflags": "faststart"}) as container:
        container.metadata["title"] = f"deepfake-cli: {verdict.label}"
        if verdict.record:
            facts = verdict.facts()
            short = {name: facts[name] for name in ("verdict", "score", "low", "high", "reason", "notes", "record")}
            container.metadata["comment"] = json_text(short)
        batches = _frames(verdict.path, frames, lines)
        while batch := list(islice(batches, BATCH)):
            maps = _heat(batch, detector)
            strongest = max([strongest, *(float(heat.max()) for heat in maps)])
            waiting = iter(maps)
            for image, moments in batch:
                picture = _drawn(
                    image, [(moment, next(waiting, None)) for moment in moments], verdict, detector, strongest
                )
                picture = np.concatenate([picture, _plot(lines[0], moments, verdict, picture.shape[1])])
                if stream is None:
                    stream = container.add_stream("libx264", options={"crf": CRF})
                    stream.codec_context.time_base = TICK
                    stream.height, stream.width, stream.pix_fmt = *picture.shape[:2], "yuv420p"
                frame = av.VideoFrame.from_ndarray(picture, format="bgr24")
                shown_at = _time(verdict, moments[0].frame) - _time(verdict, first)
                frame.time_base, frame.pts = TICK, (last := max(last + 1, round(shown_at / TICK)))
                container.mux(stream.encode(frame))
            done += len(batch)
            progress(done, len(frames))
        if stream is not None:
            container.mux(stream.encode(None))


def _time(verdict: Verdict, frame: int) -> float:
    """Timestamp of a frame, in seconds; at `FPS` in a folder of images."""
    time = verdict.time(frame)
    return frame / FPS if time is None else time


def _frames(path: Path, frames: np.ndarray, lines: list[Timeline]) -> Iterator[Shown]:
    """Yield frames with at least one face, with all their faces."""
    places, known = [0] * len(lines), [line.frames for line in lines]
    for index, image in FrameSource(path).at(frames.tolist()):
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
        crop(image, moment.box, margin=traits.margin, size=traits.image_size, resize=traits.resize)
        for image, moments in batch
        for moment in moments
    ]
    return heat_maps(crops, detector)


def _drawn(
    image: np.ndarray,
    faces: list[tuple[Moment, np.ndarray | None]],
    verdict: Verdict,
    detector: Detector,
    strongest: float,
) -> np.ndarray:
    """A frame with boxes, scores and heat maps, at most `WIDEST` pixels, with even sides."""
    picture = image.copy()
    for moment, heat in faces:
        if heat is not None:
            _blend(picture, square_of(moment.box, detector.traits.margin), np.sqrt(heat / strongest))
    for moment, _ in faces:
        draw_box(picture, moment, verdict)
    scale = min(1.0, WIDEST / max(picture.shape[:2]))
    height, width = (max(2, round(side * scale)) // 2 * 2 for side in picture.shape[:2])
    return cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)


def _blend(picture: np.ndarray, square: tuple[int, int, int], heat: np.ndarray) -> None:
    """Blend a heat map, in 0..1, into its square; 0 leaves the pixels unchanged."""
    left, top, side = square
    large = np.clip(cv2.resize(heat.astype(np.float32), (side, side)), 0, 1)
    x0, y0 = max(0, left), max(0, top)
    part = picture[y0 : max(0, top + side), x0 : max(0, left + side)]
    large = large[y0 - top :, x0 - left :][: part.shape[0], : part.shape[1]]
    colours = cv2.applyColorMap(np.uint8(255 * large), cv2.COLORMAP_INFERNO)
    share = 0.75 * large[..., None]
    part[:] = np.rint((1 - share) * part + share * colours)


def _plot(line: Timeline, moments: list[Moment], verdict: Verdict, width: int) -> np.ndarray:
    """Plot the scores of the first face: past bright, future grey, with the threshold as a line."""
    plot = np.full((PLOT, width, 3), 24, np.uint8)
    frames, scores = line.frames, line.scores
    now = moments[0].frame
    across = (frames - frames[0]) / max(1, frames[-1] - frames[0]) * (width - 1)
    points = np.stack([across, 4 + (PLOT - 8) * (1 - scores)], axis=1)[~np.isnan(scores)].astype(np.int32)
    level = round(4 + (PLOT - 8) * (1 - verdict.threshold))
    cv2.line(plot, (0, level), (width, level), GREY, 1)
    seen = int((frames[~np.isnan(scores)] <= now).sum())
    cv2.polylines(plot, [points], isClosed=False, color=GREY, lineType=cv2.LINE_AA)
    cv2.polylines(plot, [points[:seen]], isClosed=False, color=LINE, thickness=2, lineType=cv2.LINE_AA)
    return plot

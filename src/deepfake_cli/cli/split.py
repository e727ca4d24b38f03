"""``deepfake split``."""

import time
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepfake_cli.cli.console import console, error_console, next_step, print_json, progress, table, warn, wrote
from deepfake_cli.config import IMAGES, Split
from deepfake_cli.errors import DatasetError

if TYPE_CHECKING:
    from deepfake_cli.commands.split import SplitResult

MOST_LISTED = 20


def split(
    settings: Split, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Cut videos into frames or face crops.

    Frames are listed in manifest.csv. Finished videos are skipped: repeat the command to continue after an interruption.
    """
    from deepfake_cli.commands.split import split as run
    from deepfake_cli.extraction.extract import Extracted

    started, frames = time.perf_counter(), 0

    with progress("videos") as bar:
        task = bar.add_task("split", total=None, note="")

        def advance(video: Extracted, done: int, total: int) -> None:
            nonlocal frames
            frames += 0 if video.skipped else video.frames
            rate = frames / (time.perf_counter() - started)
            bar.update(task, completed=done, total=total, note=f"{rate:,.0f} frames/s")

        result = run(settings, advance)

    seconds = time.perf_counter() - started
    for video in [video for video in result.videos if video.error or video.note][:MOST_LISTED]:
        error_console.print(f"{video.video}: {video.error or video.note}", style="red" if video.error else "yellow")
    for reason in sorted(set(result.ignored.values())):
        paths = [path for path, why in result.ignored.items() if why == reason]
        some = ", ".join(path.name for path in paths[:5]) + (" …" if len(paths) > 5 else "")
        warn(f"Skipped {len(paths)} file{'s' * (len(paths) > 1)}: {reason}: {some}")
    for path, reason in result.closed.items():
        warn(f"Cannot list the folder {path}: {reason}")
    if json:
        print_json(_summary(result, seconds))
    else:
        _print(result, frames, seconds)
    if len(result.failed) == len(result.videos):
        raise DatasetError(f"None of the {len(result.videos)} videos in {settings.viddir} could be read.")
    if result.closed:
        raise DatasetError(f"Folders that could not be listed: {len(result.closed)}. None of their videos was read.")
    if result.failed and settings.strict:
        raise DatasetError(f"{len(result.failed)} videos could not be read (--strict).")
    if not json:
        own = () if settings.imgdir == IMAGES else ("--imgdir", settings.imgdir)
        next_step("make-csv", settings.adapter, *own)


def _summary(result: "SplitResult", seconds: float) -> dict[str, Any]:
    videos = result.videos
    return {
        "manifest": str(result.manifest),
        "videos": len(videos),
        "skipped": sum(video.skipped for video in videos),
        "frames": sum(video.frames for video in videos),
        "written": sum(video.written for video in videos),
        "seconds": round(seconds, 3),
        "failed": [{"video": video.video, "reason": video.error} for video in result.failed],
        "ignored": list(map(str, result.ignored)),
        "ignored_reasons": {str(path): reason for path, reason in result.ignored.items()},
        "closed": {str(path): reason for path, reason in result.closed.items()},
        "notes": [{"video": video.video, "note": video.note} for video in videos if video.note],
    }


def _print(result: "SplitResult", frames: int, seconds: float) -> None:
    rows = []
    for kind in sorted({video.video.split("/")[0] for video in result.videos}):
        videos = [video for video in result.videos if video.video.split("/")[0] == kind]
        read = sum(video.frames for video in videos)
        written = sum(video.written for video in videos)
        failed, skipped = sum(bool(video.error) for video in videos), sum(video.skipped for video in videos)
        without = sum(len(video.rows) - video.written for video in videos)
        rows.append((kind, len(videos), skipped, failed, read, written, without))
    console.print(table(None, ["", "videos", "skipped", "failed", "frames", "images", "no image"], rows))
    noted = sum(bool(video.error or video.note) for video in result.videos)
    if noted > MOST_LISTED:
        warn(f"… and {noted - MOST_LISTED} more videos with a note; --json lists all.")
    console.print(f"{frames:,} frames in {seconds:.1f} s ({frames / seconds:,.0f} frames/s).")
    wrote(result.manifest)

"""``deepfake datasets verify``."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any

import typer

from deepfake_cli.cli.console import console, error_console, print_json, progress, table, warn
from deepfake_cli.config import Verify

if TYPE_CHECKING:
    from deepfake_cli.commands.verify import Part, VerifyResult

MOST_LISTED = 20


def verify(
    settings: Verify, json: Annotated[bool, typer.Option("--json", help="Print the result as JSON")] = False
) -> None:
    """Check a data set for missing, damaged and unexpected files; exit with status 1 if there are any.

    Nothing in its folder is changed. Checked videos are listed in --record: repeat the command to continue after an interruption.
    """
    from deepfake_cli.commands.verify import verify as run

    with progress("videos") as bar:
        task = bar.add_task("verify", total=None, note="")
        result = run(settings, lambda check, done, total: bar.update(task, completed=done, total=total))
    if json:
        print_json(_summary(result, settings))
    else:
        _print(result, settings)
    if not result.ok:
        raise typer.Exit(1)


def _summary(result: "VerifyResult", settings: Verify) -> dict[str, Any]:
    return {
        "dataset": settings.adapter,
        "folder": str(settings.folder),
        "ok": result.ok,
        "release": result.release,
        "videos": sum(part.found for part in result.parts),
        "checked": result.checked,
        "full": settings.full,
        "parts": [part._asdict() | {"status": _status(part)} for part in result.parts],
        "missing": result.missing,
        "corrupt": result.corrupt,
        "unexpected": {str(path): reason for path, reason in result.unexpected.items()},
        "closed": {str(path): reason for path, reason in result.closed.items()},
        "record": str(settings.record),
    }


def _status(part: "Part") -> str:
    if not part.found:
        return "not there"
    if part.published is None:
        return "no published number"
    lacking = part.published - part.found
    return f"{lacking:,} missing" if lacking > 0 else f"{-lacking:,} too many" if lacking else "complete"


def _print(result: "VerifyResult", settings: Verify) -> None:
    rows = [
        (part.name, f"{part.found:,}", "–" if part.published is None else f"{part.published:,}", _status(part))
        for part in result.parts
    ]
    console.print(table(None, ["", "videos", "published", ""], rows))
    _show("Parts with another number of videos than published", {p.name: _status(p) for p in result.parts if p.wrong})
    _show("Parts missing (--complete)", {part.name: "" for part in result.absent if settings.complete})
    _show("Missing", dict.fromkeys(result.missing, ""))
    _show("Corrupt", result.corrupt)
    _show("Unexpected", {str(path): reason for path, reason in result.unexpected.items()})
    _show("Folders that cannot be listed", {str(path): reason for path, reason in result.closed.items()})
    if result.absent and not settings.complete:
        warn("Parts that are not there are no error; with --complete they are.")
    videos = sum(part.found for part in result.parts)
    how = "all frames were decoded" if settings.full else "first and last frames were decoded; all: --full"
    if result.ok:
        release = f", {result.release}" if result.release else ""
        console.print(
            f"{settings.adapter}{release}: {videos:,} videos, nothing missing, corrupt or unexpected ({how})."
        )
    console.print(
        f"Videos checked: {result.checked:,}; unchanged: {videos - result.checked:,}. Wrote {settings.record}"
    )


def _show(what: str, found: Mapping[str, str]) -> None:
    if found:
        error_console.print(f"{what}: {len(found):,}", style="red")
    for name, reason in list(found.items())[:MOST_LISTED]:
        error_console.print(f"  {name}: {reason}" if reason else f"  {name}")
    if len(found) > MOST_LISTED:
        error_console.print(f"  … and {len(found) - MOST_LISTED:,} more; --json lists all")

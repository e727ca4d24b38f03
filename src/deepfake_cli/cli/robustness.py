"""The table of ``deepfake evaluate --robustness``."""

from typing import Any

from deepfake_cli.cli.console import console, table


def print_robustness(rows: list[dict[str, Any]], frames: int) -> None:
    """Print the AUC per frame and video, by corruption and strength."""
    clean, names = rows[0], list(dict.fromkeys(row["change"] for row in rows[1:]))
    for level in ("frame", "video"):
        lines = [
            (name, *(f"{row[level]['auc']['value']:.3f}" for row in rows if row["change"] == name)) for name in names
        ]
        title = f"AUC of {clean[level]['n']:,} {level}s; without corruption: {clean[level]['auc']['value']:.3f}"
        console.print(table(title, ["corruption", *"12345"], lines))
    few = f"up to {frames} consecutive frames from the middle"
    which = few if frames else "all frames"
    console.print(f"Robustness: {which} of each video, corrupted at the input size of the network.")

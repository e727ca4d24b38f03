"""Put error rates by condition into the card of the shipped detector: its metadata, and the table in docs/starter.md.

    deepfake evaluate REAL/index.csv src/deepfake_cli/assets/starter.onnx --conditions --conditions-frames 8
    python scripts/rate_starter.py evaluation

Its weights do not change. Run it again after `train_starter.py`, which writes a detector without rates.
"""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from deepfake_cli.assets import STARTER
from deepfake_cli.inference.condition import PROPERTIES, words
from deepfake_cli.inference.error_rates import cell
from deepfake_cli.runs.best_onnx import stamped

PAGE = Path(__file__).parents[1] / "docs" / "starter.md"
START, END = "<!-- conditions -->\n", "<!-- end of conditions -->\n"
ON = "37 real and 62 fake files of FaceForensics++ and DFD (c40), MesoNet and swapped photos, and 5 encodings of videos"
HEAD = ("by", "", "reals called fake", "fakes called real")


def main() -> None:
    """Write metadata and table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("evaluation", type=Path, help="output folder of evaluate --conditions")
    found = json.loads((parser.parse_args().evaluation / "metrics.json").read_text(encoding="utf-8"))["conditions"]
    found["on"] = ON
    stamped(STARTER, STARTER, conditions={name: found[name] for name in ("on", "threshold", "slices")})
    text = PAGE.read_text(encoding="utf-8")
    before, after = text[: text.index(START) + len(START)], text[text.index(END) :]
    PAGE.write_text(f"{before}\n{found['on']}.\n\n{table(found)}\n\n{after}", encoding="utf-8")
    print(f"Wrote {STARTER} and {PAGE}")


def table(found: dict[str, Any]) -> str:
    """The table in Markdown: all files, encodings, properties."""
    lines = [HEAD, ("---",) * len(HEAD), *rows(found)]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def rows(found: dict[str, Any]) -> Iterator[tuple[str, ...]]:
    named = [("encoding", each["encoding"], each) for each in found["encodings"]]
    for each in found["slices"]:
        if len(each["where"]) == 1:
            ((name, part),) = each["where"].items()
            named.append((PROPERTIES[name].name, words(name, part), each))
    yield "all", "", *(cell(found["slices"][0][label]) for label in ("real", "fake"))
    for by, value, each in named:
        yield by, value, *(cell(each[label]) for label in ("real", "fake"))


if __name__ == "__main__":
    main()

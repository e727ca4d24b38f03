"""Record the first five minutes of three new users, from a clone in a new environment each, as docs/film.md.

    python scripts/film.py                # all three; 20 minutes on two cores, and 4 GB of disk at a time
    python scripts/film.py examiner       # only this part of the page

Each command runs as it is written there, in a home of its own. Needs Linux, git, OpenSSL, and an index or a cache for pip.
"""

import argparse
import os
import re
import shlex
import subprocess
import tempfile
import textwrap
import time
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "film.md"
WALKTHROUGH = ROOT / "docs" / "walkthrough.md"
CLIPS = ROOT / "src" / "deepfake_cli" / "assets"
LONGEST = 30  # lines of output that are shown; of a longer one, the first and the last
WIDTH = 140  # characters
MADE = "from pathlib import Path; from deepfake_cli.demo.make_set import make_set; make_set(Path('videos'))"
SCRIPT = (
    "from deepfake_cli import Detector",
    "",
    'verdict = Detector.load().predict("clip.mp4")',
    "print(verdict.label, verdict.score)",
)
OFFLINE = ("unshare", "--map-root-user", "--net")  # a namespace that has no network

HEAD = """# The first five minutes

Three new users, each from a clone in a new environment, on two CPU cores that other programs used as well. Every command stands
with the time that it took and with what it printed. The output of pip is left out, and long outputs are cut at `…`. Written by
`scripts/film.py`.
"""
TITLES = {
    "researcher": "A researcher with videos of their own, no GPU, and no network once it is installed",
    "student": "A student with a laptop",
    "examiner": "An examiner, on a machine that never has a network",
}
NEW = ("git clone -q {root} deepfake-cli && cd deepfake-cli", "python3 -m venv env && source env/bin/activate")
USERS: dict[str, tuple[str, ...]] = {
    "researcher": (
        *NEW,
        "pip install .",
        "du -sBM env",
        "deepfake doctor",
        f'!python -c "{MADE}"',
        "ls videos/real videos/fake",
        "@deepfake split folder --viddir videos --every 2",
        "@deepfake make-csv folder --ratio 0.7 --test-ratio 0.15",
        "@deepfake train --model resnet50",
        "@deepfake train --model resnet50 --no-weights --epochs 1",
        "@deepfake train --epochs 3",
        "@deepfake evaluate csv/test/test.csv",
        "@deepfake predict videos/fake --detector runs/efficientnet_lite0-*",
    ),
    "student": (
        *NEW,
        "pip install .",
        "deepfake demo",
        f"!cp {CLIPS}/woman_b.mp4 clip.mp4",
        "deepfake predict clip.mp4",
        "deepfake predict clip.mp4 --report why.html",
        "deepfake app",
        "pip install '.[app]'",
        "deepfake app --no-open & sleep 8; curl -s http://127.0.0.1:8765 | grep '<title>'; kill %1",
        f"!printf '%s\\n' {shlex.join(SCRIPT)} > first.py",
        "cat first.py && python first.py",
    ),
    "examiner": (
        *NEW,
        "pip wheel --no-deps --wheel-dir wheels . && pip wheel --wheel-dir wheels -r requirements/judge.txt",
        "cp requirements/judge.txt wheels/ && du -sBM wheels",
        "@pip install --no-index --find-links wheels -r wheels/judge.txt",
        "@pip install --no-index --find-links wheels --no-deps deepfake-cli",
        "du -sBM env",
        "@deepfake doctor",
        f"!mkdir exhibits && cp {CLIPS}/man_a.mp4 {CLIPS}/woman_b.mp4 exhibits",
        f"!tail -c 60000 {CLIPS}/man_c.mp4 > exhibits/damaged.mp4",
        "@deepfake predict exhibits/man_a.mp4 --report why.html",
        "@deepfake predict exhibits/missing.mp4",
        "@openssl genpkey -algorithm ed25519 -out key.pem && openssl pkey -in key.pem -pubout -out public.pem",
        "@deepfake predict exhibits --case case --sign key.pem",
        "@deepfake predict --verify case --signed-by public.pem",
        "@echo x >> case/report.html && rm case/log.jsonl",
        "@deepfake predict --verify case --signed-by public.pem",
        "@deepfake train",
    ),
}
HIDDEN, ALONE = "!", "@"  # before a command: not shown; run where there is no network


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("users", nargs="*", default=[*USERS])
    parts = _parts(PAGE.read_text(encoding="utf-8")) if PAGE.exists() else {}
    for user in parser.parse_args().users:
        parts[TITLES[user]] = "\n".join(_filmed(USERS[user]))
    text = HEAD + "".join(f"\n## {title}\n\n```\n{parts[title]}\n```\n" for title in TITLES.values() if title in parts)
    PAGE.write_text(text, encoding="utf-8")


def _parts(page: str) -> dict[str, str]:
    return dict(re.findall(r"^## ([^\n]+)\n\n```\n(.*?)\n```\n", page, re.MULTILINE | re.DOTALL))


def _filmed(commands: tuple[str, ...]) -> list[str]:
    """The lines of the page: commands with times, and their output."""
    lines: list[str] = []
    with tempfile.TemporaryDirectory() as home:
        clone = Path(home) / "deepfake-cli"
        for stated in commands:
            command = stated.lstrip(HIDDEN + ALONE).format(root=ROOT)
            print(f"$ {command}", flush=True)
            start = time.perf_counter()
            output = _run(command, clone if clone.exists() else Path(home), Path(home), alone=stated.startswith(ALONE))
            seconds = time.perf_counter() - start
            print(output, f"[{seconds:.1f} s]", flush=True)
            if not stated.startswith(HIDDEN):
                took = f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"
                told = [] if command.startswith("pip ") else _shown(output.replace(home, "~"))
                lines += [f"$ {command.replace(str(ROOT), '…')}   # {took}", *told, ""]
            if command == "deepfake demo":
                _keep_walkthrough(output)
    return lines[:-1]


def _run(command: str, place: Path, home: Path, *, alone: bool) -> str:
    """Run a command in bash, with the environment of the clone if there is one."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "TF_"))}
    paths = f"{place / 'env' / 'bin'}:{os.environ['PATH']}"
    done = subprocess.run(
        [*(OFFLINE if alone else ()), "bash", "-c", command],
        cwd=place,
        env=kept | {"HOME": str(home), "PATH": paths, "COLUMNS": "100"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    return done.stdout


def _shown(output: str) -> list[str]:
    """The output in at most `LONGEST` lines, folded."""
    lines: list[str] = []
    for line in map(str.rstrip, output.strip("\n").splitlines()):
        folded = textwrap.wrap(line, WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        lines += folded if len(line) > WIDTH else [line]
    half = LONGEST // 2
    return lines if len(lines) <= LONGEST else [*lines[:half], f"… {len(lines) - 2 * half} lines", *lines[-half:]]


def _keep_walkthrough(output: str) -> None:
    """Put the whole output of ``deepfake demo`` into the walkthrough."""
    text = "\n".join(line.rstrip() for line in output.strip().splitlines())
    page = WALKTHROUGH.read_text(encoding="utf-8")
    WALKTHROUGH.write_text(
        re.sub(r"```\nMade a real.*?\n```", lambda _: f"```\n{text}\n```", page, flags=re.DOTALL), encoding="utf-8"
    )


if __name__ == "__main__":
    main()

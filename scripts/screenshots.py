"""Take the pictures of README.md and the docs: run the commands on the shipped clips, and photograph what they write.

    pip install '.[app]' playwright pypdfium2 && python scripts/screenshots.py     # needs Chromium; two minutes on two cores
    python scripts/screenshots.py evaluated                               # only one

Each is a WebP in docs/images. The faces are those of the clips under the MIT licence.
"""

import contextlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import av
import pypdfium2
from example_case import write_example
from PIL import Image
from playwright.sync_api import Browser, sync_playwright

from deepfake_cli.assets import STARTER
from deepfake_cli.demo.make_set import make_set

IMAGES = Path(__file__).parents[1] / "docs" / "images"
FAKE = Path("raw/fake/0000_fake.mp4")
WIDTH = 1000  # of the browser's window, in pixels


def main() -> None:
    IMAGES.mkdir(exist_ok=True)
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as play:
        os.chdir(folder)
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        make_set(Path("raw"))
        deepfake("split", "uadfv", "--viddir", "raw", "--every", 2)
        deepfake("make-csv", "uadfv", "--ratio", 0.67)
        for take in (predicted, examined, local_page, evaluated, trained):
            if take.__name__ in (sys.argv[1:] or [take.__name__]):
                take(browser)
        browser.close()


def predicted(browser: Browser) -> None:
    """The page of predict --report, and a frame of the video of --explain."""
    deepfake("predict", FAKE, "--every", 2, "--report", "why.html", "--explain", "why")
    keep("predict", photograph(browser, Path("why.html").resolve().as_uri(), 1150))
    with av.open(next(Path("why").glob("*.mp4"))) as video:
        frames = [frame.to_image() for frame in video.decode(video=0)]
    keep("annotated", frames[len(frames) // 2])


def examined(browser: Browser) -> None:
    """The report of a case, as a page and as PDF."""
    write_example(Path("example"))
    keep("case-page", photograph(browser, Path("example/case/report.html").resolve().as_uri(), 1300))
    pages = pypdfium2.PdfDocument("example/case/report.pdf")
    keep("case-pdf", pages[1].render(scale=1.4).to_pil())


def local_page(browser: Browser) -> None:
    """The page of deepfake app, after a file."""
    with served([sys.executable, "-m", "deepfake_cli", "app", "--port", "0", "--no-open"]) as url:
        page = browser.new_page(viewport={"width": WIDTH, "height": 900})
        page.goto(url)
        page.set_input_files("input[type=file]", FAKE)
        page.wait_for_selector("#verdict:visible", timeout=60_000)
        page.wait_for_timeout(2000)  # for the report below it
        keep("app", page.screenshot())


def evaluated(browser: Browser) -> None:
    """The report of an evaluation, of the starter detector on the six videos."""
    shutil.copy(STARTER, "starter.onnx")  # the page names its path
    deepfake("evaluate", "csv/train/train.csv", "csv/val/validation.csv", "starter.onnx")
    keep("report", photograph(browser, Path("evaluation/report.html").resolve().as_uri(), 1100))


def trained(browser: Browser) -> None:
    """A run in TensorBoard."""
    deepfake("train", "--model", "efficientnet_lite0", "--epochs", 4, "--no-onnx", "--run", "first")
    tensorboard = [sys.executable, "-m", "tensorboard.main", "--logdir", "runs", "--port", "0", "--load_fast", "false"]
    with served(tensorboard) as url:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(f"{url}?smoothing=0#timeseries")
        page.wait_for_timeout(12_000)  # it loads its charts one by one
        page.get_by_role("button", name="Settings").last.click()  # close them: more room for the charts
        page.wait_for_timeout(2000)
        keep("tensorboard", page.screenshot())


def deepfake(*words: object) -> None:
    subprocess.run([sys.executable, "-m", "deepfake_cli", *map(str, words)], check=True)


@contextlib.contextmanager
def served(command: list[str]) -> Iterator[str]:
    """Run a server; yield the address that it prints."""
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        try:
            yield next(found[0] for line in server.stdout if (found := re.search(r"http://\S+", line)))
        finally:
            server.terminate()


def photograph(browser: Browser, url: str, height: int) -> bytes:
    """The top of a page, as PNG."""
    page = browser.new_page(viewport={"width": WIDTH, "height": height})
    page.goto(url)
    page.wait_for_load_state("networkidle")
    return page.screenshot()


def keep(name: str, picture: bytes | Image.Image) -> None:
    image = Image.open(BytesIO(picture)) if isinstance(picture, bytes) else picture
    image.convert("RGB").save(IMAGES / f"{name}.webp", quality=82, method=6)


if __name__ == "__main__":
    main()

"""Laws of every page that the package writes: accessible, at all widths, light, dark, by keyboard, and on paper."""

from importlib import resources
from pathlib import Path

import cv2
import pandas as pd
import pytest

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.commands.audit import audit
from deepfake_cli.commands.compare import compare
from deepfake_cli.config import Audit, Compare
from deepfake_cli.explain.page import page as explained
from deepfake_cli.explain.page import part
from deepfake_cli.media.video import FrameSource
from deepfake_cli.reporting.folder import from_folder
from tests.reporting.test_report import full, table

__all__ = ["table"]  # a fixture
WIDTHS = (390, 820, 1400)
LONG = "a name that is longer than a phone is wide, " * 3
PAGES = ("report", "compare", "audit", "predict", "several")
TABBABLE = "a[href], button, summary, [tabindex='0'], input:not([type=radio]), input[type=radio]:checked"


@pytest.fixture(scope="module")
def pages(tmp_path_factory, table, frames_of_uadfv) -> dict[str, Path]:
    """Each page of the package, with all of its parts."""
    folder = tmp_path_factory.mktemp("pages")
    scores = table.assign(label=table["label"].map({0: "real", 1: "fake"}))
    for name, share in (("a", 0.0), ("b", 0.4)):
        scores.assign(score=(1 - share) * table["score"] + share * 0.5).to_csv(folder / f"{name}.csv", index=False)
    compare(Compare(a=folder / "a.csv", b=folder / "b.csv", output=folder / "compare", resamples=50))
    audit(Audit(csv=[frames_of_uadfv / "manifest.csv"], output=folder / "audit"))
    detector = Detector.load()
    parts = [part(detector.judge(FOLDER / name, every=3), name, detector) for name, _ in CLIPS[:2]]
    photo = folder / "photo.png"
    cv2.imwrite(str(photo), next(image for _, image in FrameSource(FOLDER / CLIPS[1][0]).frames()))
    parts.append(part(detector.judge(photo), photo.name, detector))
    for name, shown in (("predict", parts[:1]), ("several", parts)):
        (folder / f"{name}.html").write_text(explained(shown, detector, f"deepfake predict {name}"))
    return {
        "report": from_folder(full(folder / "evaluation", table, LONG.strip().replace(" ", "_"))),
        "compare": folder / "compare" / "compare.html",
        "audit": folder / "audit" / "audit.html",
        "predict": folder / "predict.html",
        "several": folder / "several.html",
    }


def axe(page) -> list[str]:
    """What axe-core finds on a page."""
    pytest.importorskip("axe_playwright_python")
    page.evaluate((resources.files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8"))
    found = page.evaluate("axe.run()")
    assert len(found["passes"]) > 20
    return [f"{each['id']}: {each['nodes'][0]['html'][:200]}" for each in found["violations"]]


def check(page) -> None:
    """No sideways scrolling, and nothing that axe finds at the outer widths; dark, which changes colours alone, at one."""
    for scheme, widths in (("light", WIDTHS), ("dark", WIDTHS[:1])):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # colours at once, not in a transition
        for width in widths:
            page.set_viewport_size({"width": width, "height": 900})
            assert page.evaluate("document.documentElement.scrollWidth") <= width
            if width in (WIDTHS[0], WIDTHS[-1]):
                assert not axe(page), (width, scheme)


def check_keyboard(page) -> None:
    """Tab reaches each control once, in order, and shows where it is."""
    wanted = page.evaluate(
        f"[...document.querySelectorAll(`{TABBABLE}`)].filter(each => each.checkVisibility()).length"
    )
    page.evaluate("document.activeElement.blur()")
    reached = []
    for _ in range(wanted):
        page.keyboard.press("Tab")
        reached.append(page.evaluate(FOCUSED))
    assert len({place for place, _, _ in reached}) == wanted == len(reached)
    assert [place for place, _, _ in reached] == sorted(place for place, _, _ in reached)
    assert all(outlined for _, outlined, _ in reached), [html for _, outlined, html in reached if not outlined]


FOCUSED = """() => {
  const element = document.activeElement;
  const ring = [element, element.closest("label")].some(each => each && getComputedStyle(each).outlineStyle !== "none");
  return [[...document.querySelectorAll("*")].indexOf(element), ring, element.outerHTML.slice(0, 200)];
}"""


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_page_is_accessible_at_every_width(pages, browser, name):
    page = browser.new_page()
    page.goto(pages[name].as_uri())
    check(page)
    check_keyboard(page)
    page.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", PAGES)
def test_no_heading_ends_a_printed_page(pages, browser, tmp_path, name):
    pdfium = pytest.importorskip("pypdfium2")
    page = browser.new_page(color_scheme="dark")
    page.goto(pages[name].as_uri())
    headings = set(page.locator("h1, h2, h3, caption, summary").all_inner_texts())
    page.pdf(path=tmp_path / "page.pdf", format="A4", print_background=True)
    page.close()
    with pdfium.PdfDocument(tmp_path / "page.pdf") as printed:
        texts = [sheet.get_textpage().get_text_bounded() for sheet in printed]
        corner = printed[0].render(scale=0.2).to_pil().getpixel((1, 1))
    assert corner == (255, 255, 255)  # paper is white, whatever the screen is
    assert len(texts) > 1 and all(text.strip().splitlines()[-1] not in headings for text in texts)
    if name == "report":
        settings = "".join(texts).partition("Settings of the training")[2]
        assert "name_that_is" in settings


@pytest.mark.slow
def test_player_shows_the_moment_that_is_chosen(pages, browser):
    page = browser.new_page(viewport={"width": 390, "height": 900})
    page.goto(pages["predict"].as_uri())
    shown = page.locator(".still:visible")
    assert shown.count() == 1
    page.locator(".chart svg").scroll_into_view_if_needed()
    chart = page.locator(".chart svg").bounding_box()
    page.mouse.click(chart["x"] + chart["width"] - 2, chart["y"] + 50)
    assert shown.inner_text().startswith("0:02.9")  # the last of every third of 75 frames
    page.keyboard.press("ArrowLeft")
    assert shown.inner_text().startswith("0:02.8")
    assert shown.locator("img").evaluate("image => image.naturalWidth") > 300
    page.locator(".faces label").first.click()
    assert shown.inner_text().startswith(page.locator(".faces label").first.inner_text())
    page.close()


@pytest.mark.slow
def test_app_is_accessible_at_every_width(browser, tmp_path):
    pytest.importorskip("starlette")
    from tests.app.test_app import running

    with running(tmp_path, every=5) as url:
        page = browser.new_page()
        page.goto(url)
        check(page)
        check_keyboard(page)
        clip, text = (FOLDER / CLIPS[0][0]).read_bytes(), b"no video"
        page.set_input_files("#file", [{"name": "x", "mimeType": "", "buffer": data} for data in (clip, text)])
        page.get_by_text("2 of 2 judged").wait_for()
        check(page)
        page.click("#clear")
        page.close()


def test_colours_keep_their_meaning(table):
    """Blue and orange are for reals and fakes alone."""
    from deepfake_cli.metrics.assess import assess
    from deepfake_cli.reporting.page import PLOTS, plots

    drawn = plots(assess(table, 0.5, 50), table)
    assert [plot.name for plot in drawn] == list(PLOTS)
    for plot in drawn:
        used = {name: f"var(--{name})" in plot.drawing for name in ("real", "fake")}
        assert used == dict.fromkeys(used, plot.name.startswith("scores")), plot.name
        assert pd.Series(plot.drawing).str.count(r"#[0-9a-f]{6}\b").item() == 0  # all colours follow the page

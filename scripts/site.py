"""Collect the pages of the site in build/site, build it with Zensical, and check every link in it.

    python scripts/site.py          # then open build/site/html/index.html; it needs no network

The navigation is the table of contents of README.md. The command reference is made from the command line, the API reference
from the docstrings.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

ROOT = Path(__file__).parents[1]
SITE = ROOT / "build" / "site"
# Pages outside of docs/, by their place in the repository.
OTHERS = {
    "README.md": "index.md",
    "CONTRIBUTING.md": "contributing.md",
    "CHANGELOG.md": "changelog.md",
    "benchmarks/README.md": "benchmarks.md",
    "src/deepfake_cli/assets/README.md": "samples.md",
}
# The rooms that a user's own code imports, beside the public names.
ROOMS = ("config", "data", "datasets", "faces", "forgery", "corruptions", "metrics", "models", "inference", "training")
SHIM = "https://unpkg.com/iframe-worker/shim"  # the plugin offline loads it from there; docs/ has a copy
LINK = re.compile(r"(?P<text>!?\[[^\]]*\])\((?P<target>(?!\w+:|#)[^)#\s]+)(?P<anchor>#[^)]*)?\)")


def main() -> None:
    shutil.rmtree(SITE, ignore_errors=True)
    collect(SITE / "pages")
    config = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    (SITE / "mkdocs.yml").write_text(f"{config}nav: {json.dumps(navigation())}\n", encoding="utf-8")
    build = [Path(sys.executable).with_name("zensical"), "build", "--strict", "--clean"]
    done = subprocess.run(build, cwd=SITE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    sys.stdout.write(done.stdout)
    faults = re.findall(r"^griffe: .+", done.stdout, re.MULTILINE)  # docstrings; --strict passes them
    for page in (SITE / "html").rglob("*.html"):
        copy = os.path.relpath(SITE / "html" / "javascripts" / "iframe-worker.js", page.parent)
        page.write_text(page.read_text(encoding="utf-8").replace(SHIM, copy), encoding="utf-8")
    if done.returncode or (faults := [*faults, *broken(SITE / "html")]):
        sys.exit("\n".join(["The site has faults.", *faults]))


def collect(pages: Path) -> None:
    """Write all pages, with their links turned to the place they have in the site."""
    shutil.copytree(ROOT / "docs", pages)
    places = {f"docs/{page.name}": page.name for page in pages.glob("*.md")} | OTHERS
    for source, name in places.items():
        text = (ROOT / source).read_text(encoding="utf-8")
        (pages / name).write_text(moved(text, Path(source).parent, places), encoding="utf-8")
    (pages / "commands.md").write_text(commands(), encoding="utf-8")
    (pages / "api").mkdir()
    for name, text in api().items():
        (pages / "api" / f"{name}.md").write_text(text, encoding="utf-8")


def moved(text: str, folder: Path, places: dict[str, str]) -> str:
    """The text with the links of a page in `folder`; a link to a file that is no page becomes its path."""

    def link(found: re.Match[str]) -> str:
        path = os.path.normpath(folder / found["target"])
        anchor = found["anchor"] or ""
        if path in places:
            return f"{found['text']}({places[path]}{anchor})"
        if path.startswith("docs/"):
            return f"{found['text']}({path.removeprefix('docs/')}{anchor})"
        return f"{found['text'].strip('[]')} (`{path}`)"

    return LINK.sub(link, text)


def navigation() -> list[dict[str, list[str]]]:
    """The sections of README.md's table of contents, the references in a section of their own.

    Raises:
        SystemExit: a page is not in the table.
    """
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("## Documentation")[1]
    places = {f"docs/{page.name}": page.name for page in (ROOT / "docs").glob("*.md")} | OTHERS
    sections: dict[str, list[str]] = {"Home": ["index.md"]}
    for row in re.findall(r"^\| (\w.*?) \| (.+) \|$", table, re.MULTILINE):
        sections[row[0]] = [places[target] for target in re.findall(r"\]\(([^)]+)\)", row[1])]
    sections["Reference"] = ["commands.md", *sections.pop("Reference", []), *(f"api/{name}.md" for name in api())]
    if lost := set(places.values()) - {page for pages in sections.values() for page in pages}:
        sys.exit(f"Not in the table of README.md, Documentation: {', '.join(sorted(lost))}")
    return [{name: pages} for name, pages in sections.items() if pages]


def commands() -> str:
    """The help of all commands, as Typer writes it."""
    words = [
        sys.executable,
        "-m",
        "typer",
        "deepfake_cli.cli",
        "utils",
        "docs",
        "--name",
        "deepfake",
        "--title",
        "Commands",
    ]
    return subprocess.run(words, capture_output=True, text=True, check=True).stdout


def api() -> dict[str, str]:
    """The pages of the API reference: the public names, then the rooms, by name."""
    import deepfake_cli

    names = sorted(name for name in deepfake_cli.__all__ if not name.startswith("_"))
    public = "".join(f"::: deepfake_cli.{deepfake_cli._MODULES[name]}.{name}\n\n" for name in names)
    return {"index": f"# deepfake_cli\n\n`from deepfake_cli import {', '.join(names)}`\n\n{public}"} | {
        room: f"# deepfake_cli.{room}\n\n" + "".join(f"::: {module}\n\n" for module in modules(room)) for room in ROOMS
    }


def modules(room: str) -> Iterator[str]:
    """The modules of a room, by their full names."""
    for path in sorted((ROOT / "src" / "deepfake_cli" / room).rglob("*.py")):
        yield ".".join(path.relative_to(ROOT / "src").with_suffix("").parts).removesuffix(".__init__")


class Page(HTMLParser):
    """The anchors and the addresses of a page.

    Attributes:
        anchors: names that a link can end with.
        links: addresses that the page leads to.
        loads: addresses that a browser loads with it.
    """

    def __init__(self, text: str):
        super().__init__()
        self.anchors: set[str] = set()
        self.links: list[str] = []
        self.loads: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the address and the anchor of an element."""
        given = {name: value or "" for name, value in attrs}
        self.anchors |= {given[name] for name in ("id", "name") if name in given}
        loads = [given[name] for name in ("src", "data") if name in given]
        if tag == "link" and given.get("rel") in ("stylesheet", "icon", "preload", "preconnect"):
            loads.append(given["href"])
        self.loads += loads
        self.links += loads + ([given["href"]] if tag == "a" and "href" in given else [])


def broken(html: Path) -> Iterator[str]:
    """Links and anchors that lead nowhere, and whatever a page would load from a network."""
    pages = {path: Page(path.read_text(encoding="utf-8")) for path in html.rglob("*.html")}
    for path, page in pages.items():
        yield from (f"{path.relative_to(html)}: loads {each}" for each in page.loads if urlsplit(each).netloc)
        for link in page.links:
            parts = urlsplit(link)
            if parts.scheme or parts.netloc or path.name == "404.html":
                continue
            target = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            target = target / "index.html" if target.is_dir() else target
            anchor = unquote(parts.fragment)
            if not target.exists() or (anchor and target in pages and anchor not in pages[target].anchors):
                yield f"{path.relative_to(html)}: {link} leads nowhere"
    for style in html.rglob("*.css"):
        for address in re.findall(
            r"(?:@import|url\()\s*[\"']?(https?:[^\"')]+|//[^\"')]+)", style.read_text(encoding="utf-8")
        ):
            yield f"{style.relative_to(html)}: loads {address}"


if __name__ == "__main__":
    main()

"""No CSV of ours has a cell that a spreadsheet runs as a formula, and every cell is read back as it was."""

import ast
import csv
import json
import re
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

import deepfake_cli
from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.audit.sources import join
from deepfake_cli.commands.predict import write_csv
from deepfake_cli.data import manifest
from deepfake_cli.metrics import predictions
from deepfake_cli.reporting.folder import _predictions
from deepfake_cli.storage.csv_cells import quoted, read_rows, unquoted

DANGER = re.compile("[\\s\0\u200b\ufeff]*[=+@\uff1d\uff0b\uff0d\uff20-]|[\t\r\n]")
NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
FORMULAS = [
    "=1+1", "+x", "-x", "@SUM(A1)", "\tx", "\rx", "\nx", " =x", "\u00a0=x", "\ufeff=x", "-", "=", "-1+1", "--1", "+-1", "-1-",
    '=HYPERLINK("http://x/?"&A1,"a, b")', "=cmd|' /C calc'!A0", "=x'", "-x\r\ny", "\uff1dx", "=\u00e9", "-1,5", "-inf",
    "=" * 9000,
]  # fmt: skip
OTHERS = [
    "", "x", "'", "''", "'x'", "'tis", "'=x", "''=x'", "'=x'", "''=x''", "'-5'", "-5", "+3.2e-4", "-.5", "-5.", "-3 4 -10 20",
    "x=1", "a-b", "'@", "'\t", "'" * 9000, "1'", "real", "a\nb", 'say "x"', " x ",
]  # fmt: skip
CELLS = [*FORMULAS, *OTHERS]


def is_safe(cell: str) -> bool:
    return not DANGER.match(cell) or all(NUMBER.fullmatch(part) for part in cell.split(" ") if part)


def raw(path: Path) -> list[list[str]]:
    """The cells as a spreadsheet gets them."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.reader(file))


@pytest.mark.parametrize("cell", CELLS, ids=range(len(CELLS)))
def test_a_cell_is_safe_and_comes_back(cell):
    assert is_safe(quoted(cell)) and unquoted(quoted(cell)) == cell
    assert (quoted(cell) == cell) == is_safe(cell) or "'" in cell
    assert quoted(quoted(cell)) == quoted(cell) or unquoted(quoted(quoted(cell))) == quoted(cell)


def test_random_cells_are_safe_and_come_back():
    random = np.random.default_rng(0)
    alphabet = np.array(list("'''=+-@\t\r\n 15.ex\"\0\ufeff\uff1d"))
    cells = {"".join(random.choice(alphabet, random.integers(0, 9))) for _ in range(20_000)}
    written = {cell: quoted(cell) for cell in cells}
    assert all(map(is_safe, written.values()))
    assert all(unquoted(text) == cell for cell, text in written.items())
    assert len(set(written.values())) == len(cells), "no two are written alike"


def test_a_list_of_the_user_keeps_its_apostrophes():
    for cell in ("'=x", "'-x.jpg", "'tis", "''=x", "'x'", "'-5'"):
        assert unquoted(cell) == cell


def test_numbers_stay_numbers():
    for cell in (-5, -0.25, float("-inf"), np.float32(-1), np.int64(-3), None, True):
        assert quoted(cell) is cell
    assert quoted("-5") == "-5" and quoted("-1.5 3 -20 4") == "-1.5 3 -20 4"


def named() -> list[str]:
    """Cells that a path, a video or a group can be: not empty."""
    return [cell for cell in CELLS if cell and "\0" not in cell]


def test_manifests_and_lists_come_back(tmp_path):
    rows = [
        {"path": f"{cell}.jpg", "label": "real", "dataset": "d", "video": cell, "group": cell, "frame": -1}
        for cell in named()
    ]
    path = tmp_path / "manifest.csv"
    manifest.write(path, manifest.MANIFEST_COLUMNS, rows)
    assert all(is_safe(cell) for row in raw(path) for cell in row)
    table, _ = manifest.read_manifest(path)
    assert table["path"].tolist() == [row["path"] for row in rows]
    assert table["video"].tolist() == table["group"].tolist() == named()
    with path.open(newline="", encoding="utf-8") as file:
        assert [row["video"] for row in read_rows(file)] == named()
    again = tmp_path / "again.csv"
    for types in ({}, dict.fromkeys(("video", "group"), str)):  # categories, and text
        manifest.write_table(again, table.astype(types))
        assert all(is_safe(cell) for row in raw(again) for cell in row)
        assert manifest.read(again)["group"].tolist() == named()
    assert {name: str(manifest.read(again)[name].dtype) for name in ("video", "group")} == {
        "video": "category",
        "group": "category",
    }
    lost = [row | {"path": "", "reason": row["group"]} for row in rows]
    manifest.write(path, manifest.MANIFEST_COLUMNS, lost)
    assert manifest.read_missing([path])[0]["reason"].tolist() == named()


def test_predictions_come_back(tmp_path):
    cells = named()
    table = pd.DataFrame({
        "path": [f"{cell}.jpg" for cell in cells], "dataset": cells, "group": cells, "video": cells, "frame": range(len(cells)),
        "label": "real", "score": np.linspace(0, 1, len(cells)), "method": cells, "quality": cells,
    })  # fmt: skip
    path = tmp_path / "predictions.csv"
    manifest.write_table(path, table)
    assert all(is_safe(cell) for row in raw(path) for cell in row)
    for again in (predictions.read(path).frames, _predictions(path)):
        for name in ("path", "dataset", "group", "video", "method", "quality"):
            assert again[name].tolist() == table[name].tolist()
        assert again["score"].tolist() == pytest.approx(table["score"].tolist())


def test_a_quoted_name_and_the_same_without_are_two(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("path,label,group\n/1.jpg,real,=a\n/2.jpg,real,'=a\n/3.jpg,real,=a\n/4.jpg,real,'=a'\n")
    assert manifest.read(path)["group"].tolist() == ["=a", "'=a", "=a", "=a"]


def test_sources_of_images_are_found_by_their_path(tmp_path):
    manifest.write(
        tmp_path / "manifest.csv",
        manifest.MANIFEST_COLUMNS,
        [
            {"path": f"{name}.jpg", "codec": "h264", "box": "-2 0 8 10", "width": 20, "height": 20}
            for name in ("=x", "x")
        ],
    )
    found = join(pd.DataFrame({"path": [f"{tmp_path}/=x.jpg", f"{tmp_path}/x.jpg"]}))
    assert found["codec"].tolist() == ["h264", "h264"] and found["face_size"].tolist() == [10, 10]


def test_results_without_a_row_have_a_header(tmp_path):
    write_csv(tmp_path / "x.csv", ("path", "score"), [])
    assert (tmp_path / "x.csv").read_text() == "path,score\n"


def test_results_of_predict_come_back(tmp_path):
    write_csv(tmp_path / "x.csv", ("path", "score"), [{"path": cell, "score": -0.5} for cell in CELLS])
    assert all(is_safe(cell) for row in raw(tmp_path / "x.csv") for cell in row)
    with (tmp_path / "x.csv").open(newline="", encoding="utf-8") as file:
        assert list(read_rows(file)) == [{"path": cell, "score": "-0.5"} for cell in CELLS]


NAMES = ["=x", "-x", "+x", "@x", "'=x", "\tx", "'tis", "plain"]


@pytest.fixture(scope="module")
def images(tmp_path_factory, people) -> Path:
    """Photographs with such names, and a list of them that the user wrote."""
    folder = tmp_path_factory.mktemp("images")
    for name in NAMES:
        (folder / f"{name}.jpg").write_bytes(cv2.imencode(".jpg", people["man_a"][0])[1].tobytes())
    rows = "".join(f"{name}.jpg,{('real', 'fake')[at % 2]},{name},{name}\n" for at, name in enumerate(NAMES))
    (folder / "list.csv").write_text("path,label,group,video\n" + rows)
    return folder


@pytest.mark.slow
def test_evaluate_gives_back_the_names_of_a_list(deepfake, tmp_path, images):
    deepfake("evaluate", images / "list.csv", STARTER, "--resamples", 0)
    path = tmp_path / "evaluation" / "predictions.csv"
    assert all(is_safe(cell) for row in raw(path) for cell in row)
    assert predictions.read(path).frames["group"].tolist() == NAMES
    first = json.loads((path.parent / "metrics.json").read_text())
    deepfake("evaluate", "--predictions", path, "--output", "again", "--resamples", 0)
    assert (tmp_path / "again" / "predictions.csv").read_bytes() == path.read_bytes()
    again = json.loads((tmp_path / "again" / "metrics.json").read_text())
    assert again["frame"] == first["frame"] and again["group"] == first["group"]
    deepfake("report", "evaluation")
    deepfake("audit", images / "list.csv", "--workers", 1)


def test_predict_names_files_that_look_like_formulas(deepfake, tmp_path, images):
    files = [f"{name}.jpg" for name in NAMES]
    deepfake("predict", "--csv", tmp_path / "x.csv", "--frames-csv", tmp_path / "y.csv", "--", *files, cwd=images)
    for name in ("x.csv", "y.csv"):
        assert all(is_safe(cell) for row in raw(tmp_path / name) for cell in row)
        with (tmp_path / name).open(newline="", encoding="utf-8") as file:
            assert [row["path"] for row in read_rows(file)] == files


def test_split_and_make_csv_keep_such_names(deepfake, tmp_path):
    for (clip, _), (label, name) in zip(
        [*CLIPS, *CLIPS], [("real", "=a"), ("fake", "-b"), ("real", "+c"), ("fake", "@d"), ("real", "e")], strict=False
    ):
        (tmp_path / "raw" / label).mkdir(parents=True, exist_ok=True)
        (tmp_path / "raw" / label / f"{name}.mp4").write_bytes((FOLDER / clip).read_bytes())
    words = ("split", "folder", "--viddir", "raw", "--max-frames", 2, "--size", 64, "--workers", 1)
    deepfake(*words)
    path = tmp_path / "img" / "manifest.csv"
    assert all(is_safe(cell) for row in raw(path) for cell in row)
    first = path.read_bytes()
    deepfake(*words)
    assert path.read_bytes() == first
    table, _ = manifest.read_manifest(path)
    assert all((path.parent / name).is_file() for name in table["path"])
    deepfake("make-csv", "folder", "--ratio", 0.5)
    lists = [tmp_path / "csv" / name for name in ("train/train.csv", "val/validation.csv")]
    assert all(is_safe(cell) for each in lists for row in raw(each) for cell in row)
    listed = pd.concat([manifest.read(each) for each in lists])
    assert set(listed["group"]) == set(table["group"]) and all(Path(name).is_file() for name in listed["path"])
    deepfake("make-csv", "--check")


def test_no_module_reads_or_writes_csv_another_way():
    """Each of these calls stands beside `quoted` or `unquoted`, or reads what is never ours."""
    calls = re.compile(r"(?<![_\w])(to_csv|read_csv|write_csv|DictWriter|DictReader|csv\.writer|savetxt|genfromtxt)$")
    found = set()
    root = Path(deepfake_cli.__file__).parent
    for path in root.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and (name := calls.search(ast.unparse(node.func))):
                found.add((path.relative_to(root).as_posix(), name[1]))
    assert found == {
        ("storage/csv_cells.py", "DictWriter"),
        ("storage/csv_cells.py", "DictReader"),
        ("data/manifest.py", "write_csv"),  # of Arrow, from quoted_table
        ("data/csv_columns.py", "read_csv"),
        ("metrics/predictions.py", "read_csv"),
        ("reporting/folder.py", "read_csv"),
        ("audit/sources.py", "read_csv"),
        ("commands/predict.py", "write_csv"),  # its own, with write_rows
        ("inference/save.py", "to_csv"),  # from quoted_table
        ("datasets/layout.py", "DictReader"),  # of a data set
    }


def test_no_script_writes_csv_another_way():
    """Outside of the package, too."""
    writers = re.compile(r"\b(to_csv|write_csv|DictWriter|csv\.writer|savetxt)\(")
    root = Path(__file__).parents[2]
    scripts = [path for folder in ("benchmarks", "scripts") for path in (root / folder).glob("*.py")]
    assert len(scripts) > 10
    assert not [path.name for path in scripts if writers.search(path.read_text(encoding="utf-8"))]

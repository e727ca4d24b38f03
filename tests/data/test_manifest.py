"""Lists of frames: round trip, former formats, and errors that name the file."""

import os
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from deepfake_cli.data import checks, manifest
from deepfake_cli.errors import ManifestError

CATEGORIES = list(manifest.CATEGORIES)
NASTY = [*"ab09é中", " ", ",", '"', "'", "#", ";", "=", "%", "&", "NA", "null", "\\"]
MEMORY = Path("/proc/self/mem")  # its reading fails, whoever reads


@pytest.fixture
def read(tmp_path):
    """Write bytes or text to a list, and read it."""

    def run(content: str | bytes, name: str = "some list.csv") -> pd.DataFrame:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return manifest.read(path)

    return run


@pytest.fixture
def fault(read):
    """The error message, without the file name that it must start with."""

    def run(content: str | bytes) -> str:
        with pytest.raises(ManifestError) as caught:
            read(content)
        name, _, rest = str(caught.value).partition("some list.csv: ")
        assert name.startswith("/"), caught.value
        assert rest, caught.value
        assert "\n" not in rest
        return rest

    return run


def table_of(**columns) -> pd.DataFrame:
    length = len(next(iter(columns.values())))
    filled = {name: columns.get(name, [""] * length) for name in manifest.LIST_COLUMNS}
    return pd.DataFrame(filled).astype(dict.fromkeys(CATEGORIES, "category"))


def random_names(random: np.random.Generator, count: int) -> list[str]:
    return ["x" + "".join(random.choice(NASTY, random.integers(0, 12))) for _ in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_round_trip_of_lists(tmp_path, seed):
    random = np.random.default_rng(seed)
    count = int(random.integers(1, 40))
    paths = [
        f"/{folder}/{file}.jpg" for folder, file in zip(*(random_names(random, count) for _ in range(2)), strict=True)
    ]
    names = {name: random_names(random, count) for name in CATEGORIES}
    table = table_of(path=paths, label=random.integers(0, 2, count), frame=random.integers(0, 10_000, count), **names)
    path = tmp_path / "new folder" / "list.csv"
    manifest.write_table(path, table)
    again = manifest.read(path)
    assert again.astype(object).to_dict("list") == table.astype(object).to_dict("list")
    manifest.write_table(tmp_path / "again.csv", again)
    assert (tmp_path / "again.csv").read_bytes() == path.read_bytes(), "and the bytes are the same"


def test_round_trip_of_manifests_and_videos_without_an_image(tmp_path):
    columns = ("path", "label", "dataset", "video", "group", "frame", "reason")
    rows = [
        ("real/a, b/0.jpg", "real", "uadfv", "real/a, b", "a", 0, ""),
        ("", "real", "uadfv", "real/a, b", "a", 1, "no face"),
        ("fake/c/7.jpg", "fake", "uadfv", "fake/c", "c", 7, ""),
        ("", "fake", "uadfv", "fake/d", "d", 0, 'un"readable'),
    ]
    path = tmp_path / "manifest.csv"
    manifest.write(path, manifest.MANIFEST_COLUMNS, [dict(zip(columns, row, strict=True)) for row in rows])
    table, without = manifest.read_manifest(path)
    assert table["path"].tolist() == ["real/a, b/0.jpg", "fake/c/7.jpg"], "as written"
    assert (table["label"].tolist(), table["frame"].tolist()) == ([0, 1], [0, 7])
    assert without == [("uadfv", "fake/d")]
    assert not [each.name for each in tmp_path.iterdir() if each != path], "nothing half-written is left"


def test_a_failed_write_keeps_the_old_file(tmp_path):
    path = tmp_path / "manifest.csv"
    manifest.write(path, ["path"], [{"path": "a"}])

    def rows():
        yield {"path": "b"}
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk full"):
        manifest.write(path, ["path"], rows())
    assert path.read_text() == "path\na\n"
    assert list(tmp_path.iterdir()) == [path]


def test_types(read):
    found = read("path,label,dataset,video,group,frame\n/a.jpg,fake,d,v,g,3\n/b.jpg,0,d,v,h,\n/c.jpg,REAL,d,v,h,x\n")
    assert list(found.columns) == list(manifest.LIST_COLUMNS)
    assert found["label"].dtype == np.int8
    assert found["frame"].dtype == np.int64
    assert all(isinstance(found[name].dtype, pd.CategoricalDtype) for name in CATEGORIES)
    assert found["label"].tolist() == [1, 0, 0]
    assert found["frame"].tolist() == [3, -1, -1], "-1 where it is unknown"


@pytest.mark.parametrize("frame", ["inf", "-inf", "nan", "1e300", "-7", "x", ""])
def test_an_invalid_frame_index_is_unknown(read, frame):
    assert read(f"path,label,frame\n/a.jpg,1,{frame}\n")["frame"].tolist() == [-1]


@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
@pytest.mark.parametrize("mark", ["", "\ufeff"], ids=["", "bom"])
@pytest.mark.parametrize("header", ["", "path,label"], ids=["old", "header"])
@pytest.mark.parametrize("real, fake", [("0", "1"), ("real", "fake")])
def test_lists_of_every_origin(read, end, mark, header, real, fake):
    lines = [
        f"/img/a b/0.jpg,{real}",
        f'"/img/c, d/1.jpg",{fake}',
        f'"/img/say ""x"", y/2.jpg",{fake}',
        f"/img/é/3.png,{real}",
    ]
    found = read(mark + end.join([header, *lines] if header else lines) + end)
    assert found["path"].tolist() == ["/img/a b/0.jpg", "/img/c, d/1.jpg", '/img/say "x", y/2.jpg', "/img/é/3.png"]
    assert found["label"].tolist() == [0, 1, 1, 0]
    assert found["video"].tolist() == ["/img/a b", "/img/c, d", '/img/say "x", y', "/img/é"], "the image's folder"
    assert found["group"].tolist() == found["video"].tolist()


def test_lists_without_header_may_have_commas(read):
    assert read("/a, b, c/0.jpg,1\n\n/d/0.jpg,0\n")["path"].tolist() == ["/a, b, c/0.jpg", "/d/0.jpg"]


def test_column_order_and_extra_columns(read):
    found = read("note,label,path,group\nx,fake,/v/0.jpg,g\n")
    assert found.iloc[0].to_dict() == {
        "path": "/v/0.jpg", "label": 1, "dataset": "", "video": "/v", "group": "g", "frame": -1, "method": "", "quality": "",
        "crop": "",
    }  # fmt: skip


def test_rows_without_an_image_are_dropped(read):
    assert read("path,label,frame\n/a.jpg,1,0\n,1,1\n/c.jpg,0,2\n")["frame"].tolist() == [0, 2]


def test_relative_paths_are_relative_to_the_list(tmp_path, read, monkeypatch):
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "0.jpg").touch()
    monkeypatch.chdir(tmp_path)
    found = read("../../img/0.jpg,1\nimg/1.jpg,0\n/abs.jpg,0\n", name="csv/train/l.csv")["path"]
    assert found.tolist() == [f"{tmp_path}/csv/train/../../img/0.jpg", f"{tmp_path}/csv/train/img/1.jpg", "/abs.jpg"]


def test_relative_paths_fall_back_to_the_current_folder(tmp_path, read, monkeypatch):
    """As written by the former tool."""
    (tmp_path / "img").mkdir()
    (tmp_path / "img" / "0.jpg").touch()
    monkeypatch.chdir(tmp_path)
    assert read("img/0.jpg,1\nimg/1.jpg,0\n", name="csv/l.csv")["path"].tolist() == ["img/0.jpg", "img/1.jpg"]
    assert read("img/0.jpg,1\n", name="l.csv")["path"].tolist() == [f"{tmp_path}/img/0.jpg"]
    assert read("img/gone.jpg,1\n", name="csv/l.csv")["path"].tolist() == [f"{tmp_path}/csv/img/gone.jpg"]
    monkeypatch.chdir(tmp_path / "img")
    assert set(read("0.jpg,1\n1.jpg,0\n", name="csv/l.csv")["video"]) == {str(tmp_path / "img")}, (
        "one folder, one video"
    )


@pytest.mark.parametrize("label", ["2", "0.5", "", "Fälschung", "fake news"])
@pytest.mark.parametrize("header", ["path,label\n", ""], ids=["header", "old"])
def test_label_errors(fault, header, label):
    found = fault(f"{header}/a.jpg,1\n/b c.jpg,{label}\n")
    assert found.startswith(f"label {label!r} of /b c.jpg; allowed: real, fake, 0, 1.")


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "path,label\n", "path,label,reason\n,1,no face\n"])
def test_empty_lists(fault, content):
    assert fault(content) == "no images in this list."


def test_missing_list(tmp_path):
    for path, said in (
        (tmp_path / "none.csv", "no such list. Create it with deepfake make-csv."),
        (tmp_path, "a folder, not a list. Create lists with deepfake split and deepfake make-csv."),
    ):
        with pytest.raises(ManifestError) as caught:
            manifest.read(path)
        assert str(caught.value) == f"{path}: {said}"


@pytest.mark.parametrize(
    "content",
    [
        b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(range(256)),
        b"\x89PNG\r\n\x1a\n" + bytes(64),
        b"PK\x03\x04" + bytes(range(256)),
        "path,label\n/a.jpg,1\n".encode("utf-16"),
        "path,label\n/é.jpg,1\n".encode("latin-1"),
        b'path,label\n"/a.jpg,1\n',
        b'{"path": "a.jpg"}\n',
        b"x" * 200_000,
        b"one\ntwo\n",
        b"label\n1\n",
    ],
    ids=["jpeg", "png", "zip", "utf-16", "latin-1", "open quote", "json", "one long line", "no comma", "one column"],
)
def test_garbage(fault, content):
    assert fault(content).startswith("cannot be read as a CSV of frames: ")


@pytest.mark.skipif(not MEMORY.is_file(), reason="needs a file whose reading fails")
def test_a_list_that_cannot_be_read():
    with pytest.raises(ManifestError, match=r"^/proc/self/mem: cannot be read as a CSV of frames: "):
        manifest.read(MEMORY)


def test_random_bytes_are_a_list_or_an_error_that_names_the_file(read):
    random = np.random.default_rng(0)
    alphabet = [b"path,label", b",", b"\n", b'"', b"1", b"fake", b"/a.jpg", b"\r", b"\0", b"\xff", "é".encode(), b" "]
    listed = 0
    for _ in range(300):
        try:
            listed += len(read(b"".join(random.choice(np.array(alphabet, object), random.integers(0, 15)))))
        except ManifestError as error:
            assert "some list.csv: " in str(error)
    assert listed, "some of them are lists"


@pytest.mark.parametrize("label, name", [(0, "real"), (1, "fake")])
def test_one_class(label, name):
    with pytest.raises(ManifestError) as caught:
        checks.check(table_of(path=["/a.jpg"] * 1200, label=[label] * 1200), "csv/l.csv")
    assert str(caught.value) == f"csv/l.csv: all 1,200 frames are {name}; reals and fakes are needed."


def test_missing_images(tmp_path):
    (tmp_path / "there.jpg").touch()
    paths = [str(tmp_path / "there.jpg"), *(f"/gone/{number}.jpg" for number in range(9))]
    table = table_of(path=paths, label=[0, 1] * 5)
    with pytest.raises(ManifestError) as caught:
        checks.check(table, "csv/l.csv")
    first, *some = str(caught.value).splitlines()
    assert first == "csv/l.csv: 9 of 10 images are missing, such as"
    assert some == [f"  /gone/{number}.jpg" for number in range(5)]
    checks.check(table.assign(path=paths[0]), "csv/l.csv")


def test_shared_groups_keep_data_sets_apart():
    one = table_of(path=["/a"] * 3, label=[0, 1, 1], dataset=["uadfv", "uadfv", "timit"], group=["1", "2", "3"])
    other = table_of(path=["/b"] * 3, label=[0, 1, 1], dataset=["timit", "uadfv", "timit"], group=["1", "2", "3"])
    assert checks.shared_groups(one, other) == ["timit/3", "uadfv/2"]
    assert checks.shared_groups(one, other[other["group"] == "1"]) == []


def test_several_lists_are_read_as_one(tmp_path):
    for name, group in (("one", "g"), ("two", "h")):
        (tmp_path / f"{name}.csv").write_text(f"path,label,dataset,group\n/{name}/0.jpg,1,{name},{group}\n")
    lists = [tmp_path / "one.csv", tmp_path / "two.csv"]
    found = manifest.read_lists(lists)
    assert found["path"].tolist() == ["/one/0.jpg", "/two/0.jpg"]
    assert found["group"].tolist() == ["g", "h"]
    assert all(isinstance(found[name].dtype, pd.CategoricalDtype) for name in CATEGORIES)
    assert found.index.tolist() == [0, 1]
    pd.testing.assert_frame_equal(manifest.read_lists(lists[:1]), manifest.read(lists[0]))


def test_different_spellings_of_a_folder_are_one_video(tmp_path, monkeypatch):
    """Relative paths differ by folder; leakage must be found anyway."""
    image = tmp_path / "img" / "clip" / "0.jpg"
    image.parent.mkdir(parents=True)
    image.touch()
    monkeypatch.chdir(tmp_path)
    spellings = {"a/b/one.csv": "../../img/clip/0.jpg", "c/two.csv": "../img/clip/0.jpg", "three.csv": str(image)}
    tables = []
    for name, path in spellings.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(f"{path},1\n")
        tables.append(manifest.read(tmp_path / name))
    assert len(checks.shared_groups(tables[0], tables[1])) == 1
    assert len(checks.shared_groups(tables[1], tables[2])) == 1


def test_a_list_behind_a_symbolic_link(tmp_path):
    (tmp_path / "data" / "csv").mkdir(parents=True)
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "data" / "1.jpg").write_bytes(b"")
    (tmp_path / "data" / "csv" / "list.csv").write_text("path,label\n../1.jpg,fake\n")
    (tmp_path / "elsewhere" / "csv").symlink_to(tmp_path / "data" / "csv")
    (path,) = manifest.read(tmp_path / "elsewhere" / "csv" / "list.csv")["path"]
    assert os.path.normpath(path) == str(tmp_path / "data" / "1.jpg")  # as TensorFlow reads it: by the words alone


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_headers_and_labels_as_other_tools_write_them(read, mark):
    lines = [("Path", " LABEL", "Frame"), ("/a/1.jpg", "Real", "7"), ("/b/2.jpg", "1", "8")]
    table = read("\n".join(map(mark.join, lines)))
    assert (table["path"].tolist(), table["label"].tolist()) == (["/a/1.jpg", "/b/2.jpg"], [0, 1])
    assert table["frame"].tolist() == [7, 8]


def test_two_columns_of_one_name_are_an_error(fault):
    assert "two columns have the same name" in fault("path,label,Path\n/a.jpg,0,/b.jpg\n")


def test_labels_as_floats_and_blank_lines(read):
    assert read("\n\npath,label\n/a.jpg,0.0\n\n/b.jpg,1.0\n")["label"].tolist() == [0, 1]
    assert read("/a.jpg,0.0\n/b.jpg,1.0\n")["label"].tolist() == [0, 1]


def test_utf_16_is_named(fault):
    for coding in ("utf-16", "utf-16-le", "utf-16-be"):
        text = ("" if coding == "utf-16" else "\ufeff") + "path,label\n/a.jpg,1\n"
        assert fault(text.encode(coding)) == "cannot be read as a CSV of frames: the text is UTF-16; save it as UTF-8"


def test_repeated_images_are_told(read):
    table = read("path,label\n/a.jpg,0\n/b.jpg,1\n/a.jpg,0\n")
    assert checks.repeated(table, "a.csv") == [
        "a.csv: 1 rows repeat an image, such as /a.jpg; each row counts. Remove them."
    ]
    assert checks.repeated(table[:2], "a.csv") == []


@pytest.mark.parametrize(
    "rows, said",
    [
        ("/1.jpg,real,v,g\n/2.jpg,fake,v,g\n", "1 videos have several values in the column label, such as v"),
        ("/1.jpg,real,v,g\n/2.jpg,real,v,h\n/3.jpg,fake,w,h\n", "in the column group, such as v"),
        ("/1.jpg,real,v,g\n/1.jpg,fake,w,g\n", "1 images are listed as real and as fake, such as .*/1.jpg"),
    ],
)
def test_lists_are_checked_before_the_work(read, rows, said):
    table = read("path,label,video,group\n" + rows)
    with pytest.raises(ManifestError, match=f"^val.csv: .*{said}"):
        checks.check_videos(table, "val.csv")


def test_a_path_with_nul_is_named(fault):
    for text in ("path,label\na\0b.jpg,0\nc.jpg,1\n", "a\0b.jpg,0\nc.jpg,1\n"):
        assert "'a\\x00b.jpg' has a NUL" in fault(text)


@pytest.mark.skipif(not MEMORY.exists(), reason="needs /proc")
@pytest.mark.parametrize("target", ["/proc/self/environ", "/dev/zero", "/dev/urandom"])
def test_files_of_the_kernel_are_no_images(target, tmp_path):
    (tmp_path / "link.jpg").symlink_to(target)
    (tmp_path / "real.jpg").touch()
    (tmp_path / "linked.jpg").symlink_to(tmp_path / "data.bin")
    (tmp_path / "data.bin").write_bytes(b"x")
    paths = [target, *(str(tmp_path / name) for name in ("link.jpg", "real.jpg", "linked.jpg"))]
    assert set(checks.missing(pd.Series(paths, dtype=str))) == {target, str(tmp_path / "link.jpg")}

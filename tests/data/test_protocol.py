"""Folds, published splits, groups by --by; and the findings of ``make-csv --check``."""

import hashlib
import json
import shutil
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
import pytest

from deepfake_cli.commands.make_csv import FILES
from deepfake_cli.data import near_duplicates
from tests import processes

from ..conftest import tree


def groups_of(path) -> set[str]:
    return set(pd.read_csv(path, dtype=str)["group"])


@pytest.fixture
def frames(frames_of_uadfv, tmp_path):
    """A writable copy of the small UADFV's crops, as ``img``."""
    return shutil.copytree(frames_of_uadfv, tmp_path / "img")


@pytest.fixture
def checked(json_of, deepfake):
    """The kinds of findings of ``make-csv --check``: errors and notes."""

    def run(*options) -> tuple[set[str], set[str]]:
        done = deepfake("make-csv", "--check", "--json", *options, check=None)
        found = json.loads(done.stdout)
        assert done.returncode == (0 if found["ok"] else 1)
        kinds = [{each["what"] for each in found["findings"] if each["wrong"] == wrong} for wrong in (True, False)]
        return kinds[0], kinds[1]

    return run


def test_protocol_matches_the_lists(json_of, frames, tmp_path):
    found = json_of("make-csv", "uadfv", "--ratio", "0.5", "--test-ratio", "0.2", "--seed", "7")
    record = json.loads((tmp_path / "csv" / "protocol.json").read_text())
    kept = ("adapter", "seed", "protocol", "folds", "by")
    assert tuple(record[name] for name in kept) == ("uadfv", 7, "ratio", None, "video")
    assert list(record["lists"]) == list(FILES.values())
    for name, listed in record["lists"].items():
        path = tmp_path / "csv" / name
        assert listed["sha256"] == hashlib.sha256(path.read_bytes()).hexdigest()
        assert set(listed["groups"]) == groups_of(path)
        assert sum(row["frames"] for row in listed["counts"]) == len(pd.read_csv(path))
    assert [row for listed in record["lists"].values() for row in listed["counts"]] == found["counts"]


@pytest.mark.parametrize("held_out", [(), ("--test-ratio", "0.34")])
def test_folds_are_disjoint_and_complete(json_of, frames, tmp_path, held_out):
    json_of("make-csv", "uadfv", "--folds", "2", *held_out)
    everything = groups_of(tmp_path / "img" / "manifest.csv")
    tested = groups_of(tmp_path / "csv" / FILES["test"]) if held_out else set()
    assert len(tested) == (2 if held_out else 0)
    validated = [groups_of(tmp_path / "csv" / fold / FILES["val"]) for fold in ("fold1", "fold2")]
    assert not validated[0] & validated[1]
    assert validated[0] | validated[1] | tested == everything
    for fold, mine in zip(("fold1", "fold2"), validated, strict=True):
        trained = pd.read_csv(tmp_path / "csv" / fold / FILES["train"], dtype=str)
        assert set(trained["group"]) == everything - mine - tested
        assert set(trained["label"]) == {"real", "fake"}
    first = tree(tmp_path / "csv")
    json_of("make-csv", "uadfv", "--folds", "2", *held_out)
    assert tree(tmp_path / "csv") == first, "same seed, same bytes"


def test_lists_of_an_earlier_split_are_removed(deepfake, frames, tmp_path):
    deepfake("make-csv", "uadfv", "--folds", "3")
    deepfake("make-csv", "uadfv")
    assert set(tree(tmp_path / "csv")) == {FILES["train"], FILES["val"], "protocol.json"}


def test_more_folds_than_groups(deepfake, frames, tmp_path):
    said = deepfake("make-csv", "uadfv", "--folds", "7", check=1).stderr
    assert "6 groups are too few for 7 parts" in said
    assert "no names of people" in deepfake("make-csv", "uadfv", "--by", "person", check=1).stderr.replace(
        "n't", " not"
    )
    assert "has no published split" in deepfake("make-csv", "uadfv", "--protocol", "official", check=1).stderr
    assert "ADAPTER is missing" in deepfake("make-csv", check=1).stderr
    assert not (tmp_path / "csv").exists()


def test_groups_over_people_pairs_and_videos(json_of, timit, tmp_path):
    json_of("split", "timit", "--viddir", timit[0], "--realdir", timit[1], "--size", "32", "--max-frames", "2")
    found = {}
    for by in ("person", "pair", "video"):
        json_of("make-csv", "timit", "--by", by, "--csvdir", by, "--ratio", "0.5")
        tables = [pd.read_csv(tmp_path / by / FILES[part], dtype=str) for part in ("train", "val")]
        found[by] = [set(table["group"]) for table in tables]
        assert not found[by][0] & found[by][1]
    pairs = {"fadg0-fram1", "mccs0-mmdm2"}
    assert found["person"][0] | found["person"][1] == pairs
    assert found["pair"][0] | found["pair"][1] == pairs | {f"{who}/head" for pair in pairs for who in pair.split("-")}
    speakers = [who for pair in pairs for who in pair.split("-")]
    assert found["video"][0] | found["video"][1] == {f"{who}/{video}" for who in speakers for video in ("sa1", "head")}


MINE = '''
from deepfake_cli.datasets.clip import Clip
def clips(root):
    """Ten people, with a real and a fake video each, and a published split."""
    for number in range(10):
        for label, name in enumerate(("real", "fake")):
            part = {published}
            person = str(number % 9)
            yield Clip(root / name / str(number), label, "mine", f"{{name}}/{{number}}", (person,), (str(number),), part=part)
'''


def publish(folder: Path, part: str) -> None:
    """Write the adapter, with this expression for the part of each number."""
    (folder / "mine.py").write_text(MINE.format(published=part))


@pytest.fixture(scope="session")
def frames_of_mine(tmp_path_factory) -> Path:
    """Distinct frames of an own data set, and its adapter."""
    root = tmp_path_factory.mktemp("mine")
    publish(root, '""')
    random = np.random.default_rng(0)
    for number in range(10):
        for name in ("real", "fake"):
            folder = root / "raw" / name / str(number)
            folder.mkdir(parents=True)
            coarse = random.integers(0, 255, (6, 6, 3), np.uint8)
            cv2.imwrite(str(folder / "0.jpg"), cv2.resize(coarse, (96, 96), interpolation=cv2.INTER_CUBIC))
    processes.run("split", "mine:clips", "--viddir", "raw", "--crop", "none", cwd=root)
    return root


@pytest.fixture
def mine(frames_of_mine, tmp_path) -> str:
    """A writable copy, and the name of the adapter."""
    shutil.copytree(frames_of_mine, tmp_path, dirs_exist_ok=True)
    return "mine:clips"


@pytest.mark.slow
def test_a_published_split_is_unchanged_and_shared_groups_reported(deepfake, json_of, mine, checked, tmp_path):
    publish(tmp_path, '"test" if number > 7 else "val" if number > 5 else "train" if number else ""')
    json_of("split", mine, "--viddir", "raw", "--crop", "none")
    found = json_of("make-csv", mine, "--protocol", "official")
    assert found["shared_groups"] == {}
    assert found["not_in_the_published_split"] == ["fake/0", "real/0"]
    videos = {part: set(pd.read_csv(path)["video"]) for part, path in ((p, tmp_path / "csv" / FILES[p]) for p in FILES)}
    assert videos["test"] == {"real/8", "real/9", "fake/8", "fake/9"}
    assert videos["val"] == {"real/6", "real/7", "fake/6", "fake/7"}
    assert len(videos["train"]) == 10

    publish(tmp_path, '"test" if number > 7 else "train"')
    json_of("split", mine, "--viddir", "raw", "--crop", "none")
    found = json_of("make-csv", mine, "--protocol", "official")
    assert found["shared_groups"] == {"train, test": ["0"]} or found["shared_groups"] == {"val, test": ["0"]}
    assert "shares 1 groups" in deepfake("make-csv", mine, "--protocol", "official").stderr
    wrong, notes = checked("--check-frames", 0)
    assert (wrong, notes) == (set(), {"shared groups"})
    train, val = (groups_of(tmp_path / "csv" / FILES[part]) for part in ("train", "val"))
    assert len(train) == 6
    assert len(val) == 2
    assert not train & val, "what validates is cut out of the training part by group"

    publish(tmp_path, '"train"')
    json_of("split", mine, "--viddir", "raw", "--crop", "none")
    assert "no published split" in deepfake("make-csv", mine, "--protocol", "official", check=1).stderr


def test_unchanged_lists_pass(checked, deepfake, mine):
    deepfake("make-csv", mine, "--ratio", "0.6", "--test-ratio", "0.2")
    assert checked() == (set(), set())
    deepfake("make-csv", mine, "--folds", "3")
    assert checked() == (set(), set())


def test_recurring_people_are_reported(checked, deepfake, frames):
    """The small UADFV shows each person in two videos, unknown to its groups."""
    deepfake("make-csv", "uadfv", "--folds", "3")
    assert checked() == ({"pairs of videos with the same image"}, {"pairs of videos that look alike"})


def drop_record(csv):
    (csv / "protocol.json").unlink()


def drop_list(csv):
    (csv / FILES["val"]).unlink()


def drop_row(csv):
    lines = (csv / FILES["train"]).read_text().splitlines(keepends=True)
    (csv / FILES["train"]).write_text("".join(lines[:-1]))


def add_list(csv):
    (csv / "test").mkdir()
    shutil.copy(csv / FILES["val"], csv / FILES["test"])


def leave_one_class(csv):
    table = pd.read_csv(csv / FILES["val"], dtype=str)
    table[table["label"] == "fake"].to_csv(csv / FILES["val"], index=False)


def not_a_list(csv):
    (csv / FILES["val"]).write_bytes(b"\xff\xd8\xff")


def lose_an_image(csv):
    table = pd.read_csv(csv / FILES["val"], dtype=str)
    (csv / "val" / table["path"][0]).unlink()


def copy_an_image(csv):
    train, val = (pd.read_csv(csv / FILES[part], dtype=str) for part in ("train", "val"))
    shutil.copy(csv / "train" / train["path"][0], csv / "val" / val["path"][0])


def break_an_image(csv):
    (csv / "val" / pd.read_csv(csv / FILES["val"], dtype=str)["path"][0]).write_bytes(b"\xff\xd8\xff")


@pytest.mark.parametrize(
    "spoil, expected",
    [
        (drop_record, {"no record"}),
        (drop_list, {"missing list"}),
        (drop_row, {"changed list"}),
        (add_list, {"unrecorded list", "shared groups", "pairs of videos with the same image"}),
        (leave_one_class, {"changed list", "one class only"}),
        (not_a_list, {"changed list", "unusable"}),
        (lose_an_image, {"missing images", "unreadable images"}),
        (copy_an_image, {"pairs of videos with the same image"}),
        (break_an_image, {"unreadable images"}),
    ],
)
def test_every_fault_is_found(checked, deepfake, mine, tmp_path, spoil, expected):
    deepfake("make-csv", mine)
    spoil(tmp_path / "csv")
    assert checked()[0] == expected


def test_nothing_to_check(deepfake, tmp_path):
    assert "no lists and no protocol.json" in deepfake("make-csv", "--check", check=1).stderr
    (tmp_path / "csv").mkdir()
    (tmp_path / "csv" / "protocol.json").write_text("[]")
    assert "protocol.json: found []; expected an object" in deepfake("make-csv", "--check", check=1).stderr


def test_near_pairs_equals_brute_force():
    random = np.random.default_rng(0)
    hashes = random.integers(0, 2**63, 300).astype(np.uint64)
    for place in range(150):  # neighbours at 0 to 8 bits
        flipped = sum(1 << int(bit) for bit in random.choice(63, place % 9, replace=False))
        hashes[150 + place] = hashes[place] ^ np.uint64(flipped)
    part = np.arange(300) // 150
    found = {
        (one, other): bits
        for one, other, bits in near_duplicates.near_pairs(hashes, 4, lambda a, b: part[a] != part[b])
    }
    expected = {
        (one, other): int(hashes[one] ^ hashes[other]).bit_count()
        for one in range(300)
        for other in range(one + 1, 300)
        if part[one] != part[other] and int(hashes[one] ^ hashes[other]).bit_count() <= 4
    }
    assert found == expected
    assert len(found) > 20


def test_near_duplicates_survive_reencoding_and_scaling(people, tmp_path):
    images = [frames[0] for frames in people.values()]
    rows = []
    for number, image in enumerate(images):
        for kind, change in {
            "a": lambda image: image,
            "b": lambda image: cv2.resize(image, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA),
            "c": lambda image: cv2.convertScaleAbs(image, alpha=0.9, beta=10),
        }.items():
            path = tmp_path / f"{number}{kind}.jpg"
            cv2.imwrite(str(path), change(image), [cv2.IMWRITE_JPEG_QUALITY, {"a": 95, "b": 50, "c": 75}[kind]])
            rows.append((str(path), kind, f"{number}{kind}", number))
    flat = tmp_path / "flat.jpg"
    cv2.imwrite(str(flat), np.full((64, 64, 3), 99, np.uint8))
    rows += [(str(flat), "a", "flat a", 9), (str(flat), "b", "flat b", 9), (str(tmp_path / "none.jpg"), "b", "none", 8)]
    table = pd.DataFrame(rows, columns=["path", "part", "group", "number"])
    pairs, unreadable = near_duplicates.look_alikes(table)
    assert unreadable == 1
    numbers = [(table["number"][pair.one], table["number"][pair.other]) for pair in pairs]
    assert len(pairs) == 9, "three ways of each of three people, and no flat image"
    assert all(one == other for one, other in numbers)

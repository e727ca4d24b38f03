"""make-csv: lists share no group, have both classes, and are reproducible."""

import shutil

import cv2
import pandas as pd
import pytest

from deepfake_cli.commands.make_csv import FILES
from deepfake_cli.data import checks, manifest
from deepfake_cli.data.leaks import leaks

from ..conftest import tree

CLASSES = ["real", "fake"]
THREE_PARTS = ("--ratio", "0.5", "--test-ratio", "0.2")


def lists(csvdir) -> dict[str, pd.DataFrame]:
    """The list of each part, as written."""
    found = {part: csvdir / name for part, name in FILES.items()}
    return {part: pd.read_csv(path, dtype=str) for part, path in found.items() if path.is_file()}


def frames_of(csvdir) -> pd.DataFrame:
    """All rows of all lists, with their part, in a canonical order."""
    joined = pd.concat([table.assign(part=part) for part, table in lists(csvdir).items()])
    return joined.sort_values(["video", "frame"], ignore_index=True)


@pytest.fixture(scope="session")
def frames_of_timit(tmp_path_factory, people):
    """Tree of the former tool: whole frames of both qualities, and reals; no manifest."""
    root = tmp_path_factory.mktemp("old") / "img"
    images = [*people.values(), *people.values()]
    pairs = [("fadg0", "fram1"), ("fram1", "fadg0"), ("mccs0", "mmdm2"), ("mmdm2", "mccs0")]
    for (speaker, partner), frames in zip(pairs, images, strict=False):
        for video in (
            f"higher_quality/{speaker}/sa1-video-{partner}",
            f"lower_quality/{speaker}/sa1-video-{partner}",
            f"real/{speaker}/sa1",
        ):
            (root / video).mkdir(parents=True)
            for index, image in enumerate(frames[:3]):
                cv2.imwrite(str(root / video / f"{index:05d}.jpg"), image)
    return root


@pytest.fixture
def without_manifest(frames_of_uadfv, tmp_path):
    """The same frames, as from another tool."""
    copy = shutil.copytree(frames_of_uadfv, tmp_path / "copy" / "img")
    (copy / "manifest.csv").unlink()
    return copy


@pytest.mark.parametrize("options, parts", [((), ["train", "val"]), (THREE_PARTS, ["train", "val", "test"])])
def test_parts_share_no_group_and_have_both_classes(json_of, frames_of_uadfv, tmp_path, options, parts):
    found = json_of("make-csv", "uadfv", "--imgdir", frames_of_uadfv, *options)
    tables = lists(tmp_path / "csv")
    assert list(tables) == list(found["lists"]) == parts
    groups = [set(table["group"]) for table in tables.values()]
    assert sum(map(len, groups)) == len(set().union(*groups)) == 6, "disjoint and complete"
    for name, table in tables.items():
        assert set(table["label"]) == set(CLASSES)
        read = manifest.read(tmp_path / "csv" / FILES[name])
        checks.check(read, name)  # the images are there
    listed = pd.read_csv(frames_of_uadfv / "manifest.csv")["path"].dropna()
    assert frames_of(tmp_path / "csv")["path"].is_unique
    assert len(frames_of(tmp_path / "csv")) == len(listed)
    assert found["unlisted"] == []


def test_printed_counts_match_the_files(json_of, deepfake, frames_of_uadfv, tmp_path):
    found = json_of("make-csv", "uadfv", "--imgdir", frames_of_uadfv, *THREE_PARTS)["counts"]
    counted = [
        {
            "part": part,
            "class": label,
            "frames": len(rows),
            "videos": rows["video"].nunique(),
            "groups": rows["group"].nunique(),
        }
        for part, table in lists(tmp_path / "csv").items()
        for label, rows in ((label, table[table["label"] == label]) for label in CLASSES)
    ]
    assert found == counted
    printed = deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, *THREE_PARTS).stdout
    rows = [line.split() for line in printed.splitlines()]
    for row in counted:
        assert list(map(str, row.values())) in rows
    wrote = next(line for line in printed.splitlines() if line.startswith("Wrote "))
    assert all(f"csv/{name}" in wrote for name in FILES.values())


def test_same_seed_gives_identical_lists(deepfake, frames_of_uadfv, tmp_path):
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, "--csvdir", name, "--seed", seed, *THREE_PARTS)
    trees = {name: tree(tmp_path / name) for name in "abc"}
    assert trees["a"] == trees["b"]
    assert trees["a"] != trees["c"]


def test_an_old_test_list_is_removed(deepfake, frames_of_uadfv, tmp_path):
    """It would share groups with the new training list."""
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv, *THREE_PARTS)
    assert set(tree(tmp_path / "csv")) == {*FILES.values(), "protocol.json"}
    deepfake("make-csv", "uadfv", "--imgdir", frames_of_uadfv)
    assert set(tree(tmp_path / "csv")) == {FILES["train"], FILES["val"], "protocol.json"}
    assert frames_of(tmp_path / "csv")["group"].nunique() == 6


def test_lists_from_a_tree_match_lists_from_a_manifest(deepfake, frames_of_uadfv, without_manifest, tmp_path):
    """But for how the images were cut, which a tree does not say."""
    shutil.copytree(frames_of_uadfv, tmp_path / "img")
    manifest = tmp_path / "img" / "manifest.csv"
    pd.read_csv(manifest, dtype=str, keep_default_na=False).drop(columns="crop").to_csv(manifest, index=False)
    deepfake("make-csv", "uadfv", "--imgdir", "img", "--csvdir", "csv", *THREE_PARTS)
    deepfake("make-csv", "uadfv", "--imgdir", "copy/img", "--csvdir", "copy/csv", *THREE_PARTS)
    assert tree(tmp_path / "csv") == tree(tmp_path / "copy" / "csv")


def test_tree_of_the_former_tool(json_of, frames_of_timit, tmp_path):
    found = json_of("make-csv", "timit", "--imgdir", frames_of_timit)
    assert [row["frames"] for row in found["counts"]] == [6, 12, 6, 12]
    for table in lists(tmp_path / "csv").values():
        assert set(table["group"]) < {"fadg0-fram1", "mccs0-mmdm2"}, "one pair"
        assert sorted(set(table["frame"])) == ["0", "1", "2"]
        assert set(table["video"].str.split("/").str[0]) == {"higher_quality", "lower_quality", "real"}
    for part in FILES.values():
        if (tmp_path / "csv" / part).is_file():
            checks.check(manifest.read(tmp_path / "csv" / part), part)


def test_timit_without_reals_gives_a_hint(deepfake, frames_of_timit, timit, tmp_path):
    shutil.copytree(frames_of_timit, tmp_path / "old", ignore=shutil.ignore_patterns("real"))
    deepfake("split", "timit", "--viddir", timit[0], "--crop", "none", "--imgdir", "new")
    for imgdir in ("old", "new"):
        said = deepfake("make-csv", "timit", "--imgdir", imgdir, check=1).stderr
        assert f"{imgdir}: all frames of timit are fake." in said
        assert "VidTIMIT" in said
        assert "--realdir" in said
    assert not (tmp_path / "csv").exists()


def test_manifest_of_other_data_sets_is_an_error(deepfake, frames_of_uadfv, tmp_path):
    said = deepfake("make-csv", "timit", "--imgdir", frames_of_uadfv, check=1).stderr
    assert f"{frames_of_uadfv}/manifest.csv: has frames of uadfv, none of timit." in said
    assert not (tmp_path / "csv").exists()


def test_too_few_groups_and_no_frames(deepfake, frames_of_uadfv, tmp_path):
    lone = tmp_path / "lone"
    for video in ("real/0000", "fake/0000_fake"):
        shutil.copytree(frames_of_uadfv / video, lone / video)
    assert "1 groups are too few for 2 parts" in deepfake("make-csv", "uadfv", "--imgdir", "lone", check=1).stderr
    (tmp_path / "bare" / "real").mkdir(parents=True)
    assert (
        "bare: no videos in the layout of uadfv." in deepfake("make-csv", "uadfv", "--imgdir", "bare", check=1).stderr
    )
    assert "nowhere: no such folder" in deepfake("make-csv", "uadfv", "--imgdir", "nowhere", check=1).stderr
    (lone / "manifest.csv").write_bytes(b"\xff\xd8\xff garbage")
    assert "lone/manifest.csv: cannot be read" in deepfake("make-csv", "uadfv", "--imgdir", "lone", check=1).stderr
    assert not (tmp_path / "csv").exists()


def test_videos_without_a_usable_frame_are_listed_with_their_group(deepfake, json_of, frames_of_uadfv, tmp_path):
    copy = shutil.copytree(frames_of_uadfv, tmp_path / "img")
    table = pd.read_csv(copy / "manifest.csv", dtype=str)
    gone = table["video"] == "real/0003"
    table.loc[gone, ["path", "reason"]] = [None, "no face"]
    table.to_csv(copy / "manifest.csv", index=False)
    assert json_of("make-csv", "uadfv")["unlisted"] == ["real/0003"]
    assert "1 videos have no usable frame" in deepfake("make-csv", "uadfv").stderr
    paths = [tmp_path / "csv" / path for path in ("train/train.csv", "val/validation.csv")]
    lists, lost = [manifest.read(path) for path in paths], [manifest.read_missing([path])[0] for path in paths]
    (part,) = (number for number, rows in enumerate(lost) if len(rows))
    assert lost[part][["video", "reason"]].to_numpy().tolist() == [["real/0003", "no face"]]
    assert "fake/0003_fake" in set(lists[part]["video"])
    assert not any("real/0003" in set(rows["video"]) for rows in lists)  # of frames to train on or to score
    assert "real/0003" not in deepfake("make-csv", "--check", check=1).stdout  # the others of these videos look alike


@pytest.mark.slow
def test_stand_ins_from_videos_to_lists(json_of, stand_ins, tmp_path):
    """Two data sets in one folder of frames: 28 fakes and 14 reals of TIMIT, 10 and 10 of UADFV."""
    fakes, reals = stand_ins / "DeepfakeTIMIT", stand_ins / "VidTIMIT"
    for videos, options in (
        (42, ("timit", "--viddir", fakes, "--realdir", reals)),
        (20, ("uadfv", "--viddir", stand_ins / "UADFV")),
    ):
        found = json_of("split", *options, "--every", "12", "--size", "64")
        assert (found["videos"], found["failed"], found["notes"]) == (videos, [], [])
    for adapter, groups, videos in (("timit", 2, {"real": 14, "fake": 28}), ("uadfv", 10, {"real": 10, "fake": 10})):
        found = json_of("make-csv", adapter, "--csvdir", adapter)
        table = frames_of(tmp_path / adapter)
        assert set(table["dataset"]) == {adapter}
        assert table.groupby("label")["video"].nunique().to_dict() == videos
        assert table["group"].nunique() == groups
        assert all(count == 1 for count in table.groupby("group")["part"].nunique())
        assert sum(row["frames"] for row in found["counts"]) == len(table)


def test_lists_of_reals_only(deepfake, frames_of_uadfv, tmp_path):
    shutil.copytree(frames_of_uadfv, tmp_path / "reals", ignore=shutil.ignore_patterns("fake", "manifest.csv"))
    said = deepfake("make-csv", "uadfv", "--imgdir", "reals", "--ratio", 0.67)
    assert "All frames are real" in said.stderr and "--real-only" in said.stderr
    train, val = (manifest.read(tmp_path / "csv" / FILES[part]) for part in ("train", "val"))
    assert len(train) and len(val) and not train["label"].any() and not set(train["group"]) & set(val["group"])


@pytest.mark.parametrize(
    ("names", "alike"),
    [
        (["anna_1", "anna_2", "ben_1", "ben_2", "carl", "dora"], True),
        (["anna", "Anna-swap", "ben", "ben (2)", "carl", "carl2"], True),
        (["video_anna1", "video_anna2", "video_ben1", "video_ben2", "x", "y"], True),
        (["anna", "ben", "carl", "dora", "emil", "finn"], False),
        ([f"clip_{number}" for number in range(6)], False),
        ([f"anna_{number}" for number in range(6)], False),  # all are: says nothing of two lists
    ],
)
def test_people_who_may_leak_are_warned_of(names, alike):
    """Files named alike in two lists; only of videos that name no person."""
    table = pd.DataFrame({"people": ""}, index=[f"real/{name}" for name in names])
    parts = {"train": list(table.index[::2]), "val": list(table.index[1::2])}
    unknown, *rest = leaks(table, parts, "person")
    assert unknown.startswith(f"No person is known for all 6 videos, such as {table.index[0]}")
    assert ["Named alike, but in different lists" in each for each in rest] == [True] * alike
    together = {"train": list(table.index), "val": []}
    assert len(leaks(table, together, "person")) == 1
    assert leaks(table.assign(people="p"), parts, "person") == []


def test_make_csv_warns_of_people_and_of_small_parts(deepfake, json_of, without_manifest, tmp_path):
    """A folder set without people; and with a folder for each person."""
    shutil.copytree(without_manifest / "real", tmp_path / "flat" / "real")
    shutil.copytree(without_manifest / "fake", tmp_path / "flat" / "fake")
    for path in sorted((tmp_path / "flat" / "fake").iterdir()):
        path.rename(path.with_name(path.name.removesuffix("_fake")))
    done = deepfake("make-csv", "folder", "--imgdir", "flat", "--csvdir", "my lists")
    said = " ".join(done.stderr.split())
    assert "No person is known for all 12 videos" in said
    assert "Small lists: train has 5 groups (5 real, 5 fake videos), val has 1 group (1 real, 1 fake videos)." in said
    assert "deepfake make-csv --check --csvdir 'my lists'" in " ".join(done.stdout.split())
    for path in [*(tmp_path / "flat").glob("*/*")]:
        path.rename(path.with_name("moving"))
        path.mkdir()
        path.with_name("moving").rename(path / "clip")
    warnings = json_of("make-csv", "folder", "--imgdir", "flat")["warnings"]
    assert [each.split(":")[0] for each in warnings] == ["Small lists"]

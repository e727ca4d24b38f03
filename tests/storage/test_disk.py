"""A full disk, a closed folder and a read-only disk: one sentence, with the file and what to do, before the work if possible."""

import errno
import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from deepfake_cli.config import STEPS
from deepfake_cli.config.base import extra
from deepfake_cli.storage import disk
from deepfake_cli.storage.files import whole, write_text
from tests.conftest import tree

OUTPUTS = [
    (step, name, extra(field)["writes"])
    for step, model in STEPS.items()
    for name, field in model.model_fields.items()
    if extra(field).get("writes")
]
REQUIRED = {
    "split": ("uadfv", "--viddir", "raw"),
    "make_csv": ("uadfv",),
    "forge": ("face.png",),
    "compare": ("a.csv", "b.csv"),
}
FULL, CLOSED, READ_ONLY = "no space left on the disk", "permission denied", "the disk is read-only"


@pytest.fixture
def small_disk(tmp_path):
    """Mount a disk of this many bytes, with these options."""
    mounted = []

    def mount(size: int, options: str = "rw") -> Path:
        folder = tmp_path / f"disk-{len(mounted)}"
        folder.mkdir()
        done = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", f"size={size},{options}", "small", folder], capture_output=True
        )
        if done.returncode:
            pytest.skip("only root can mount a small disk")
        mounted.append(folder)
        return folder

    yield mount
    for folder in mounted:
        subprocess.run(["umount", folder], check=True)


def fill(folder: Path) -> Path:
    """Fill a disk to its last byte."""
    with pytest.raises(OSError, match="No space"), (folder / "full").open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    return folder


def closed(folder: Path) -> Path:
    """A folder that nobody but root may write to."""
    folder.mkdir()
    folder.chmod(0o500)
    return folder


def test_every_output_is_declared():
    """What is not declared is not tested before the work. The folders of runs are tested by train itself."""
    undeclared = [
        (step, name)
        for step, model in STEPS.items()
        for name, field in model.model_fields.items()
        if "Path" in str(field.annotation)
        and field.description.startswith(("Output", "Write", "Folder for"))
        and not extra(field).get("writes")
    ]
    assert undeclared == [("export", "output")]  # next to the snapshot, if not given: tested by export itself


@pytest.mark.parametrize("kind", [FULL, CLOSED, READ_ONLY])
def test_outputs_are_tested_before_the_work(deepfake, tmp_path, small_disk, kind):
    """The inputs don't exist, which no command has noticed yet."""
    if kind == CLOSED:
        place = closed(tmp_path / "closed")
    else:
        place = fill(small_disk(2**16)) if kind == FULL else small_disk(2**16, "ro")
    before = tree(place)
    for step, name, writes in OUTPUTS:
        path = place / ("new.png" if step == "forge" else "new" if writes == "folder" else "new.file")
        flags = (*REQUIRED.get(step, ()), f"--{name.replace('_', '-')}", path)
        error = deepfake(step.replace("_", "-"), *flags, rights=False, check=1).stderr
        assert error.startswith(f"Error: {path}: {kind}"), error
        assert error.count("\n") == 1 and "Errno" not in error
        assert "Choose another" in error or "choose another" in error
    assert tree(place) == before


@pytest.mark.parametrize(
    ("what", "flags"), [("train", ()), ("train", ("--run", "a")), ("config", ("init", "new.toml"))]
)
def test_other_outputs_are_tested_too(deepfake, tmp_path, what, flags):
    place = closed(tmp_path / "closed")
    flags = (*flags, "--runs-dir", place) if what == "train" else (flags[0], place / flags[1])
    error = deepfake(what, *flags, rights=False, check=1).stderr
    assert error.startswith(f"Error: {place}") and f": {CLOSED}. Change the permissions" in error


def test_a_file_as_folder_and_a_folder_as_file(deepfake, tmp_path):
    (tmp_path / "file").write_text("mine")
    (tmp_path / "folder").mkdir()
    error = deepfake("predict", "a.mp4", "--csv", "file/a.csv", check=1).stderr
    assert error == "Error: file: a file, where a folder is expected. Check the path.\n"
    error = deepfake("predict", "a.mp4", "--csv", "folder", check=1).stderr
    assert error == "Error: folder: a folder, where a file is expected. Check the path.\n"
    assert (tmp_path / "file").read_text() == "mine"


def test_training_needs_space_for_its_snapshots(tmp_path):
    """Known before the first epoch."""
    with pytest.raises(OSError) as caught:
        disk.check_output(tmp_path / "runs" / "a", folder=True, needed=10**18)
    assert disk.sentence(caught.value).startswith(
        f"{tmp_path}/runs/a: no space left on the disk; 1,000,000,000,000.0 MB are needed, "
    )
    assert not (tmp_path / "runs").exists()


def test_a_disk_that_fills_during_the_work(deepfake, uadfv, small_disk):
    """The frames that fit are there and listed, the others are named; with room the command goes on."""
    img = small_disk(150_000) / "img"
    command = ("split", "uadfv", "--viddir", uadfv, "--imgdir", img, "--size", 96)
    done = deepfake(*command, check=None)
    assert f"{img}/" in done.stderr and FULL in done.stderr and "are needed. Free some space there" in done.stderr
    assert "Errno" not in done.stderr
    written = [path for path in img.rglob("*") if path.is_file()]
    assert not [path for path in written if "partial" in str(path)]
    subprocess.run(["mount", "-o", "remount,size=10m", img.parent], check=True)
    deepfake(*command)
    assert len(list(img.rglob("*.jpg"))) == 96
    assert {path: path.stat().st_mtime_ns for path in written if path.name != "manifest.csv"}.items() <= {
        path: path.stat().st_mtime_ns for path in img.rglob("*")
    }.items()


def test_a_full_disk_leaves_the_old_file(small_disk):
    place = small_disk(20_000)
    write_text(place / "a.csv", "old")
    with pytest.raises(OSError) as caught:
        write_text(place / "a.csv", "new" * 10_000)
    assert disk.sentence(caught.value).startswith(
        f"{place}/a.csv: no space left on the disk; more than 0.0 MB are needed. "
    )
    assert tree(place) == {"a.csv": b"old"}


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EIO, errno.EFBIG])
def test_the_error_names_the_file_that_is_written(tmp_path, number):
    """Neither nothing, as `write` does, nor the temporary name; but another file keeps its name."""
    for name in (None, "partial", "other"):
        with pytest.raises(OSError) as caught, whole(tmp_path / "a.csv") as partial:
            raise OSError(number, os.strerror(number), {"partial": str(partial), None: None}.get(name, name))
        text = disk.sentence(caught.value)
        assert text.startswith("other: " if name == "other" else f"{tmp_path}/a.csv: ") and text.endswith(".")
        assert "Errno" not in text and os.strerror(number) not in text
    assert tree(tmp_path) == {}


def test_a_device_is_written_to_not_replaced(deepfake, uadfv, tmp_path):
    """Root could replace it."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    write_text(pipe, "all of it")
    assert os.read(reader, 100) == b"all of it"
    os.close(reader)
    assert pipe.is_fifo() and list(tmp_path.iterdir()) == [pipe]


def test_stdout_on_a_full_disk(tmp_path):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "deepfake_cli", "config", "schema"], stdout=full, stderr=subprocess.PIPE, text=True
        )
    assert done.returncode == 1
    assert done.stderr == (
        f"Error: standard output, or the folder of temporary files {tempfile.gettempdir()}: "
        f"no space left on the disk. {disk.FREE}.\n"
    )


def test_an_input_that_may_not_be_read(deepfake, tmp_path):
    """One word for it in every command."""
    for name in ("a.csv", "b.csv", "a.toml", "metrics.json", "protocol.json"):
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(0)
    commands = [
        ("evaluate", "--predictions", "a.csv"), ("compare", "a.csv", "b.csv"), ("train", "a.csv"), ("audit", "a.csv"),
        ("predict", "x.mp4", "--config", "a.toml"), ("report", "."), ("make-csv", "uadfv", "--check", "--csvdir", "."),
    ]  # fmt: skip
    for command in commands:
        error = deepfake(*command, rights=False, check=1).stderr
        assert CLOSED in error and "Errno" not in error and error.count("\n") == 1, error

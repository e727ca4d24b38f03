"""Local copies of remote files: a cache that drops the least recently used."""

import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from deepfake_cli.errors import StorageError
from deepfake_cli.storage import downloads, tar_shards
from deepfake_cli.storage.files import read_bytes, whole, write_text


def test_least_recently_used_copies_are_dropped(s3, monkeypatch):
    copies = downloads.Copies()
    monkeypatch.setattr(copies, "_room", 2500)
    for number in range(3):
        write_text(Path(f"s3://media/room/{number}"), "x" * 1000)
    found = [copies.get(Path(f"s3://media/room/{number}")) for number in (0, 1, 0, 2)]
    assert [path.exists() for path in found] == [True, False, True, True], "the least recently used is gone"


def test_a_dropped_copy_is_downloaded_again(s3, tmp_path, monkeypatch):
    for number in range(4):
        with whole(Path(f"s3://media/race/{number}.tar")) as partial:
            tar_shards.write(partial, {f"{number}.jpg": b"%d" % number * 1000})
    copies = downloads.Copies()
    monkeypatch.setattr(copies, "_room", 1)  # each copy makes the others go
    monkeypatch.setattr(downloads, "_copies", lambda: copies)
    numbers = np.random.default_rng(0).integers(4, size=200).tolist()
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda number: read_bytes(f"s3://media/race/{number}.tar/{number}.jpg"), numbers))
    assert found == [b"%d" % number * 1000 for number in numbers]


def test_to_know_whether_a_file_is_there_nothing_is_downloaded(s3, tmp_path, monkeypatch):
    write_text(Path("s3://media/there/best.keras"), "x")
    (tmp_path / "best.keras").touch()
    monkeypatch.setattr(downloads, "_copies", lambda: pytest.fail("it is downloaded"))
    for folder in (Path("s3://media/there"), tmp_path):
        found = [downloads.is_there(path) for path in (folder / "best.keras", folder / "no.keras", folder)]
        assert found == [True, False, False]
    s3.put_object(Bucket="media", Key="there/no.keras", Body=b"")
    assert downloads.is_there(Path("s3://media/there/no.keras")), "another process has written it since"
    with pytest.raises(StorageError, match=r"s3://absent/best\.keras cannot be read"):
        monkeypatch.setattr(downloads, "located", lambda path: (Closed(), path.as_posix()))
        downloads.is_there(Path("s3://absent/best.keras"))


class Closed:
    """A file system without permission."""

    def invalidate_cache(self, folder: str) -> None:
        """Nothing is kept."""

    def info(self, key: str) -> dict:
        raise PermissionError(f"Forbidden: {key}")


def test_no_code_downloads_a_file_to_know_whether_it_is_there():
    for path in (Path(__file__).parents[2] / "src").rglob("*.py"):
        assert not re.search(r"local_path\(.*\)\.(is_file|exists)\(\)", path.read_text()), path

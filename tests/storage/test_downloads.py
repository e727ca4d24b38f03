"""Local copies of remote files: a cache that drops the least recently used."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

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

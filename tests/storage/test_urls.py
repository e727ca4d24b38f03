"""Which paths are remote."""

from pathlib import Path

import pytest

from deepfake_cli.config import Split, Train
from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.urls import is_remote, url


@pytest.mark.parametrize("path", ["/a/b.tar", "a.tarx/b", "C:/a/b.jpg", "a:b/c.jpg"])
def test_local_paths_are_not_remote(path):
    assert not is_remote(path) and tar_shards.packed(path) is None


def test_remote_paths_have_a_protocol():
    assert is_remote(Path("s3://b/x")) and url(Path("s3://b/x")) == "s3://b/x"
    assert tar_shards.packed("s3://b/1.tar/0/2.jpg") == (Path("s3://b/1.tar"), "0/2.jpg")
    assert Split(adapter="uadfv", viddir="x", imgdir="s3://b/i").packs and not Split(adapter="uadfv", viddir="x").packs
    assert Train(train_csv=["gs://b/x.csv"]).train_csv == [Path("gs://b/x.csv")]

"""A folder is replaced by another in one step, or not at all."""

import ctypes

import pytest

from deepfake_cli.storage.exchange import exchange


@pytest.mark.parametrize("system", ["can", "cannot"])
def test_two_folders_are_exchanged(tmp_path, monkeypatch, system):
    if system == "cannot":
        monkeypatch.setattr(ctypes, "CDLL", lambda *_, **__: object())
    for name in ("new", "old"):
        (tmp_path / name).mkdir()
        (tmp_path / name / f"{name}.txt").write_text(name)
    exchange(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "old" / "new.txt").read_text() == "new"
    assert (tmp_path / "new" / "old.txt").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "old"]


def test_what_is_not_there_raises(tmp_path):
    (tmp_path / "new").mkdir()
    with pytest.raises(FileNotFoundError):
        exchange(tmp_path / "new", tmp_path / "old")
    assert (tmp_path / "new").is_dir()

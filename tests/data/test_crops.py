"""Lists say how their images were cut."""

import pandas as pd
import pytest

from deepfake_cli.config import Split
from deepfake_cli.data import manifest
from deepfake_cli.data.crops import cell, cut_of
from deepfake_cli.errors import ConfigError, ManifestError


def listed(folder, *cells: str) -> pd.DataFrame:
    """A list with an image for each cell, reals and fakes in turn."""
    rows = [
        {"path": f"{index}.jpg", "label": ("real", "fake")[index % 2], "crop": text} for index, text in enumerate(cells)
    ]
    manifest.write(folder / "list.csv", manifest.LIST_COLUMNS, rows)
    return manifest.read(folder / "list.csv")


def test_a_cell_is_read_as_it_was_written(tmp_path):
    def cut(**settings):
        made = cell(Split(adapter="uadfv", viddir="videos", **settings))
        return cut_of(listed(tmp_path, made), None, "a.csv")

    for margin in (1.0, 1.3, 2.25):
        assert cut(margin=margin) == (margin, [])
    margin, notes = cut(margin=1.5, align=True, face_detector="own:find")
    assert margin == 1.5 and "found by own:find" in notes[0] and "rotated" in notes[1]
    margin, notes = cut(crop="none")
    assert margin is None and "not cut to faces" in notes[0]


def test_an_option_counts_where_the_list_says_nothing(tmp_path):
    assert cut_of(listed(tmp_path, "", ""), None, "a.csv") == (None, [])
    assert cut_of(listed(tmp_path, "", ""), 1.6, "a.csv") == (1.6, [])
    assert cut_of(listed(tmp_path, "whole frame"), 1.6, "a.csv") == (1.6, [])
    assert cut_of(listed(tmp_path, "1.6", "1.6"), 1.6, "a.csv") == (1.6, [])
    with pytest.raises(ConfigError, match=r"--margin 1\.3: the crops of a\.csv have 1\.6"):
        cut_of(listed(tmp_path, "1.6", "1.6"), 1.3, "a.csv")


def test_different_crops_are_counted_by_class(tmp_path):
    margin, (note,) = cut_of(listed(tmp_path, "1.3", "1.6", "1.3", "1.6", "1.3"), None, "a.csv")
    assert margin == 1.3
    assert "1.3 (3 real); 1.6 (2 fake)" in note


@pytest.mark.parametrize("text", ["wide", "0.5", "nan", "inf", "1.3 turned", "9" * 400])
def test_a_crop_that_cannot_be_read_is_named(tmp_path, text):
    with pytest.raises(ManifestError, match=r"a\.csv: crop .* allowed: a margin from 1 to 4"):
        cut_of(listed(tmp_path, "1.3", text), None, "a.csv")

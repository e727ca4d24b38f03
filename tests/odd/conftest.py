"""The corpus, made once a session."""

from pathlib import Path

import pytest

from .corpus import MEDIA


@pytest.fixture(scope="session")
def odd(tmp_path_factory) -> dict[str, Path]:
    """The file of each row that can be made here, by name."""
    folder = tmp_path_factory.mktemp("odd")
    files = {}
    for name, row in MEDIA.items():
        try:
            row.make(folder / name)
        except pytest.skip.Exception:  # pillow-heif is not installed
            continue
        files[name] = folder / name
    return files

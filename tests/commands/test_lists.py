"""The contract of a list is checked by the commands before their work."""

import cv2
import numpy as np
import pytest

LINES = [("path", "label", "video", "group"), ("a.png", "real", "a", "a"), ("b.png", "fake", "b", "b")]


@pytest.fixture
def images(tmp_path):
    """Reals and fakes in one flat folder."""
    for number, name in enumerate("abcd"):
        cv2.imwrite(str(tmp_path / f"{name}.png"), np.full((32, 32, 3), 60 * number, np.uint8))
    return tmp_path


def test_a_flat_folder_of_reals_and_fakes_without_header(deepfake, images):
    """Its images would be one video with two labels, as every command says at once."""
    (images / "flat.csv").write_text("a.png,0\nb.png,1\nc.png,0\nd.png,1\n")
    (images / "best.onnx").write_bytes(b"not read yet")
    for command in (
        ("train", "flat.csv", "--val-annotations", "flat.csv"),
        ("evaluate", "flat.csv", "best.onnx"),
        ("matrix", "--train", "flat.csv", "--val", "flat.csv", "--test", "flat.csv"),
    ):
        error = deepfake(*command, check=1).stderr
        assert "1 videos have several values in the column label" in error
        assert "add the column, with a name per image for single images" in " ".join(error.split())
    assert not (images / "runs").exists() and not (images / "evaluation").exists()


@pytest.mark.parametrize(
    "text, said",
    [
        ("\n".join(map(",".join, LINES)), "nosuch.h5"),
        ("\r\n".join(map(";".join, LINES)) + "\r\n\r\n", "nosuch.h5"),
        ("\n\n" + "\n".join(map("\t".join, LINES)).upper().replace(".PNG", ".png"), "missing, such as"),
        ("\ufeff" + "\n".join(",".join(f'"{cell}"' for cell in line) for line in LINES), "nosuch.h5"),
        ("Path,LABEL\na.png,0.0\nb.png,1.0\n", "nosuch.h5"),
        ("path,label\na.png,no\nb.png,1\n", "label 'no' of a.png; allowed: real, fake, 0, 1."),
        ("path,label,Label\na.png,0,1\n", "two columns have the same name"),
        ("path,label\na.png,0,7\n", "Expected 2 columns, got 3"),
        ("one column\na.png\n", "expected a header with path and label"),
    ],
)
def test_lists_are_read_or_refused_in_words(deepfake, images, text, said):
    """What is read ends at the next thing that is missing."""
    (images / "list.csv").write_bytes(text.encode())
    error = deepfake("train", "list.csv", "--no-evaluation", "--weights", "nosuch.h5", check=1).stderr
    assert said in error and "Error: " in error
    assert ("list.csv" in error) == (said != "nosuch.h5")


def test_repeated_rows_are_told(deepfake, images):
    (images / "list.csv").write_text("path,label\na.png,0\nb.png,1\na.png,0\n")
    error = deepfake("train", "list.csv", "--no-evaluation", "--weights", "nosuch.h5", check=1).stderr
    assert "list.csv: 1 rows repeat an image, such as" in error and "Remove them." in error

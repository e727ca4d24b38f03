"""Clips of three people, face detector, face landmarks, starter detector and fonts; README.md in this folder has their origin."""

from pathlib import Path

FOLDER = Path(__file__).parent
FACE_DETECTOR = FOLDER / "rfb320.onnx"
FACE_MESH = FOLDER / "face_mesh.onnx"
STARTER = FOLDER / "starter.onnx"  # model card: docs/starter.md
SANS, BOLD, MONO = (FOLDER / f"DejaVu{name}.ttf" for name in ("Sans", "Sans-Bold", "SansMono"))
CLIPS: tuple[tuple[str, str], ...] = (  # file, person
    ("man_a.mp4", "man_a"),
    ("woman_b.mp4", "woman_b"),
    ("man_c.mp4", "man_c"),
)

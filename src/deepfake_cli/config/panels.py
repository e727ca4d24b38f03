"""The themes of the options, in the order of ``--help``."""

from enum import StrEnum


class Panel(StrEnum):
    """A theme: the title of a panel in ``--help``. `MAIN` holds the options that matter first, at most ten per command."""

    MAIN = "Options"
    START = "Start and resume"
    MODEL = "Model"
    LEARNING = "Optimization"
    AUGMENTATION = "Pseudo-fakes and augmentation"
    FACES = "Faces"
    FRAMES = "Frames"
    SCORES = "Scores and metrics"
    ROBUSTNESS = "Robustness"
    LIMITS = "Limits"
    OUTPUT = "Output"
    CASE = "Case file"
    SPEED = "Devices and speed"
    GENERAL = "General"

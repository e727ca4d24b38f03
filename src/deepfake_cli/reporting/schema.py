"""What the files of an evaluation and of an audit may hold; keys of other versions are kept."""

from typing import Annotated, Any

from pydantic import Field, create_model, model_validator

from deepfake_cli.metrics.names import FIGURES
from deepfake_cli.metrics.pooling import POOLS
from deepfake_cli.storage.json_files import Part, Text

Share = Annotated[float, Field(ge=0, le=1)]
Count = Annotated[int, Field(ge=0)]


class Ends(Part):
    """An interval; both ends or none."""

    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _both(self) -> "Ends":
        if (self.low is None) != (self.high is None):
            raise ValueError("expected both low and high, or none")
        return self


class Delong(Ends):
    """DeLong's interval of an AUC."""

    low: float | None
    high: float | None


class Figure(Ends):
    """A metric with its interval; None where undefined."""

    value: float | None
    delong: Delong | None = None


class Confusion(Part):
    """Confusion matrix: counts by label and prediction."""

    real_as_real: Count
    real_as_fake: Count
    fake_as_real: Count
    fake_as_fake: Count


FIELDS: dict[str, Any] = dict.fromkeys(FIGURES, (Figure | None, None))
Figures = create_model("Figures", __base__=Part, **FIELDS)


class Level(Figures):
    """Metrics of frames, videos or groups."""

    n: Count
    real: Count
    fake: Count
    auc: Figure
    confusion: Confusion


class Slice(Part):
    """One slice: a data set, quality, method or group."""

    class Frame(Figures):
        """Its frame metrics."""

        real: Count
        fake: Count

    by: str
    value: Any
    frame: Frame


class Interval(Part):
    """How the intervals were computed."""

    level: Share
    resamples: Count
    unit: str
    units: Count
    method: str | None = None


class Step(Part):
    """One corruption at one strength."""

    change: str
    strength: Annotated[float, Field(ge=0, le=100)]
    frame: Figures = Figures()
    video: Figures = Figures()


class Unscored(Part):
    """Videos without a score."""

    videos: Count = 0
    listed: list[dict[str, Any]] = []


class Metrics(Part):
    """``metrics.json``."""

    threshold: Share
    pool: Annotated[str, Field(pattern=f"^({'|'.join(POOLS)})$")] = "mean"
    lists: dict[str, str] = {}
    notes: list[str] = []
    frame: Level
    video: Level
    group: Level | None = None
    slices: list[Slice] | None = None
    interval: Interval
    robustness: list[Step] | None = None
    errors: Unscored | None = None
    calibration: dict[str, Any] | None = None
    snapshot: Text | None = None


class Evaluation(Part):
    """``evaluation.json``: how to repeat an evaluation."""

    command: str = ""
    seed: int | None = None
    versions: dict[str, str] = {}
    snapshot: str | None = None
    settings: dict[str, Any] = {}
    trained: dict[str, Any] = {}


class Baseline(Ends):
    """The AUC of a classifier on properties of the files."""

    auc: float | None = None


class Counts(Part):
    """Counts of the audited lists."""

    parts: list[dict[str, Any]] = []


class Audit(Part):
    """``audit.json``."""

    lists: dict[str, str] = {}
    warnings: list[str] = []
    notes: list[str] = []
    baselines: dict[str, Baseline] = {}
    counts: Counts = Counts()

"""The sections of a config file: one settings model per command."""

from deepfake_cli.config.base import Step
from deepfake_cli.config.compare import Compare, Matrix
from deepfake_cli.config.data import Audit, Forge, MakeCsv, Split, Verify
from deepfake_cli.config.evaluate import Calibrate, Evaluate, Report
from deepfake_cli.config.export import Export
from deepfake_cli.config.predict import App, Predict
from deepfake_cli.config.train import Train

STEPS: dict[str, type[Step]] = {
    "split": Split,
    "make_csv": MakeCsv,
    "audit": Audit,
    "forge": Forge,
    "train": Train,
    "evaluate": Evaluate,
    "calibrate": Calibrate,
    "matrix": Matrix,
    "compare": Compare,
    "report": Report,
    "export": Export,
    "predict": Predict,
    "app": App,
}
FLAGS_ONLY: dict[str, type[Step]] = {"datasets verify": Verify}  # commands without a section

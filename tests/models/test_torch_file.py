"""Files as PyTorch writes them: read without PyTorch, and without running what is in them."""

import contextlib
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from deepfake_cli.errors import ModelError
from deepfake_cli.models.checkpoints.tensors import read
from deepfake_cli.models.torch_file import read_tensors

HERE = Path(__file__).parent / "reference"
WHOLE = ("zip.pth", "legacy.pth", "checkpoint.tar", "bfloat16.pth", "lightning.ckpt", "other_key.pth")


@pytest.mark.parametrize("name", WHOLE)
def test_files_of_pytorch_are_read(name):
    """As `torch.save` wrote them: both formats, a transposed view, and the state inside a checkpoint with more in it.

    The checkpoint of a training has its optimizer, callbacks, options, paths, dates and a loss beside the state.
    """
    tensors = read_tensors(HERE / name)
    np.testing.assert_array_equal(tensors["a.weight"], np.arange(12.0).reshape(3, 4).T)
    np.testing.assert_array_equal(tensors["b"], [1, 2, 3])


@pytest.mark.parametrize("name", ["zip.pth", "legacy.pth", "checkpoint.tar", "lightning.ckpt"])
def test_a_damaged_file_of_pytorch_has_one_kind_of_error(name, tmp_path):
    """Cut or changed at any place it is refused, or read: never another exception, and no code of it runs."""
    data, random = (HERE / name).read_bytes(), np.random.default_rng(0)
    for place in range(0, len(data), 23):
        changed = bytearray(data)
        changed[place] = random.integers(256)
        for content in (data[:place], bytes(changed)):
            (tmp_path / "d.pth").write_bytes(content)
            with contextlib.suppress(pickle.UnpicklingError):
                read_tensors(tmp_path / "d.pth")


class Code:
    """A pickle of it runs a command when it is read."""

    def __init__(self, command: str):
        self.command = command

    def __reduce__(self):
        return os.system, (self.command,)


def test_no_code_of_a_file_runs(tmp_path):
    """A pickle with a command, a whole module and a TorchScript program are refused, with what to do."""
    (tmp_path / "code.pth").write_bytes(pickle.dumps({"a": Code(f"touch {tmp_path / 'ran'}")}))
    (tmp_path / "beside.pth").write_bytes(b"cbuiltins\neval\n(S'1'\ntR.")
    for path, said in (
        (tmp_path / "code.pth", "system"),
        (tmp_path / "beside.pth", "builtins.eval"),
        (HERE / "module.pth", "torch.nn.modules.linear.Linear"),
        (HERE / "script.pt", "TorchScript"),
    ):
        with pytest.raises(
            ModelError, match=rf"{path.name}: it holds .*{said}.*torch\.save\(model\.state_dict\(\), FILE\)\.$"
        ):
            read(path)
    assert not (tmp_path / "ran").exists()


def test_a_file_is_known_by_its_content(tmp_path):
    """A file of safetensors under PyTorch's suffix, the other way round; prefixes of parallel training; other files."""
    tensors = {"module.a": np.arange(3, dtype=np.float16)}
    save_file(tensors, tmp_path / "safe.pth")
    (tmp_path / "torch.safetensors").write_bytes((HERE / "zip.pth").read_bytes())
    assert read(tmp_path / "safe.pth").take("a").tolist() == [0, 1, 2]
    assert read(tmp_path / "torch.safetensors").take("b").tolist() == [1, 2, 3]
    for content, said in (
        ((HERE / "zip.pth").read_bytes()[:400], "incomplete"),
        (b"\x89HDF", "not a PyTorch file"),
        (b"", "damaged"),
        (pickle.dumps([1]), "not a PyTorch file of tensors"),
    ):
        (tmp_path / "d.pth").write_bytes(content)
        with pytest.raises(ModelError, match=f"d.pth: {said}"):
            read(tmp_path / "d.pth")

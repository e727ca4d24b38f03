"""Score images with the reference architectures of PyTorch, and write ``reference.json`` and the small ``.pth`` files.

Run it once by hand, in an environment of its own: ``pip install torch torchvision efficientnet_pytorch timm transformers``, then
``python -m tests.models.reference.make_reference`` from the root of the repository, with the names of cases to make only these
anew. Weights are made by `numbers`, so the file
holds names, shapes and scores only.
"""

import json
import sys
from argparse import Namespace
from collections import defaultdict
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path, PosixPath

import numpy as np
import torch
from timm.models.xception import Xception
from torch import nn

from tests.models.reference.described import DESCRIBED, Described
from tests.models.reference.numbers import images, state
from tests.models.reference.published import CLIP, HALF, NONE, BenchB4, GenD, SmallXception, b4, named

HERE = Path(__file__).parent
GAINS = {  # see numbers.state; found by trying
    "sbi-small": 2.2, "deepfakebench-b4-small": 2.0, "deepfakebench-xception-small": 0.75, "gend-small": 1.0,
    "sbi-full": 1.55, "deepfakebench-b4-full": 1.55, "deepfakebench-xception-full": 0.75, "gend-full": 1.0,
}  # fmt: skip


def cases() -> Iterator[tuple[str, str, int, tuple, Callable[[], nn.Module], dict[str, str]]]:
    """Name, family, side, mean and deviation, network, and how its names differ from those of the checkpoint."""
    for size, small in (("small", True), ("full", False)):
        bench, xception = partial(BenchB4, small), SmallXception if small else partial(Xception, num_classes=2)
        yield f"sbi-{size}", "sbi", 380, NONE, partial(named, "net", partial(b4, small)), {}
        yield f"deepfakebench-b4-{size}", "deepfakebench", 256, HALF, partial(named, "backbone", bench), {}
        head = {"backbone.fc": "backbone.last_linear"}
        yield f"deepfakebench-xception-{size}", "deepfakebench", 256, HALF, partial(named, "backbone", xception), head
        yield f"gend-{size}", "gend", 56 if small else 224, CLIP, partial(GenD, small), {}


def described(about: Described) -> dict:
    """Scores with the first gain that tells the images apart, and what the description has to say."""
    for gain in (1.0, 1.3, 1.8, 1.6, 2.0, 2.2, 2.4, 2.6, 2.8):
        case = scored(about.build, about.side, about.scaling, {}, gain)
        if np.ptp(case["scores"]) > 0.01 and 0.01 < min(case["scores"]) < max(case["scores"]) < 0.99:
            break
    else:
        raise SystemExit(f"no gain fits {about}")
    mean, deviation = about.scaling
    toml = {"architecture": about.architecture, "image_size": about.side, "mean": mean, "deviation": deviation}
    return {"family": "described", "toml": toml, **case}


def scored(build: Callable[[], nn.Module], side: int, scaling: tuple, names: dict[str, str], gain: float) -> dict:
    network = build().eval()

    def renamed(name: str) -> str:
        return next((new + name.removeprefix(old) for old, new in names.items() if name.startswith(f"{old}.")), name)

    shapes = {
        renamed(name): list(value.shape)
        for name, value in network.state_dict().items()
        if "num_batches" not in name and "position_ids" not in name
    }
    made = state(shapes, gain)
    found = {name: torch.from_numpy(made[renamed(name)]) for name in network.state_dict() if renamed(name) in made}
    network.load_state_dict(found, strict=False)
    mean, deviation = np.array(scaling, np.float32)
    pixels = (images(side).astype(np.float32) / 255 - mean) / deviation
    with torch.no_grad():
        logits = network(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy())).double()
    scores = logits.softmax(1)[:, 1] if logits.shape[1] == 2 else logits.sigmoid()[:, 0]
    return {"side": side, "gain": gain, "scores": scores.tolist(), "shapes": shapes}


def files() -> None:
    """Small files as PyTorch writes them, with the same two tensors: both formats, and a checkpoint with more in it."""
    tensors = {"a.weight": torch.arange(12.0).reshape(3, 4).T, "b": torch.tensor([1, 2, 3])}
    torch.save(tensors, HERE / "zip.pth")
    torch.save(tensors, HERE / "legacy.pth", _use_new_zipfile_serialization=False)
    network = nn.Linear(2, 1)
    optimizer = torch.optim.SGD(network.parameters(), 0.1, momentum=0.9)
    network(torch.ones(1, 2)).backward()
    optimizer.step()
    more = {"model": tensors, "optimizer": optimizer.state_dict(), "epoch": 3, "loss": np.float64(0.5)}
    torch.save(more, HERE / "checkpoint.tar")
    callbacks = {"ModelCheckpoint": {"best_model_path": PosixPath("best.ckpt"), "best_model_score": torch.tensor(0.5)}}
    loops = {
        "fit": defaultdict(int, batches=3),
        "seen": {1, 2},
        "options": Namespace(lr=0.1),
        "when": datetime(2026, 1, 1),
    }
    lightning = {
        "state_dict": tensors,
        "optimizer_states": [optimizer.state_dict()],
        "callbacks": callbacks,
        "loops": loops,
    }
    torch.save(
        lightning | {"loss": torch.tensor(0.5), "lr": np.float64(0.1), "np": np.arange(3)}, HERE / "lightning.ckpt"
    )
    torch.save({"epoch": 3, "weights_of_net": tensors}, HERE / "other_key.pth")
    torch.save(network, HERE / "module.pth")
    torch.jit.trace(network, torch.ones(1, 2)).save(str(HERE / "script.pt"))
    torch.save({name: value.to(torch.bfloat16) for name, value in tensors.items()}, HERE / "bfloat16.pth")


def main() -> None:
    path = HERE / "reference.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    for name, family, side, scaling, build, names in cases():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        found[name] = {"family": family, **scored(build, side, scaling, names, GAINS[name])}
    for name, about in DESCRIBED.items():
        if not sys.argv[1:] or name in sys.argv[1:]:
            found[name] = described(about)
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in found.items())
    path.write_text(f"{{\n{text}\n}}\n")
    files()


if __name__ == "__main__":
    main()

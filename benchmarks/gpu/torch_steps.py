"""The peer of steps.py: training steps of a torchvision model in PyTorch, from memory and from the same files.

bfloat16 autocast, channels last, fused Adam, clipped gradients, as many reading processes as cores but one.

    python benchmarks/gpu/torch_steps.py LIST.csv resnet50 64 eager
"""

import argparse
import csv
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch.utils.data import DataLoader, Dataset
from workers import serve, steps_per_second

MODELS: dict[str, Callable[[int], Any]] = {  # ours: torchvision's, of the same size
    "resnet50": lambda size: torchvision.models.resnet50(num_classes=1),
    "efficientnet_b4": lambda size: torchvision.models.efficientnet_b4(num_classes=1),
    "vit_clip_l14": lambda size: torchvision.models.VisionTransformer(size, 14, 24, 16, 1024, 4096, num_classes=1),
}


class Faces(Dataset):
    """The images of a list, uint8 (3, size, size), in an endless order, with their labels."""

    def __init__(self, path: Path, size: int):
        with path.open(newline="") as file:
            self.rows = [(path.parent / row["path"], float(row["label"] == "fake")) for row in csv.DictReader(file)]
        self.resize = torchvision.transforms.Resize((size, size), antialias=True)

    def __len__(self) -> int:
        return 10**6

    def __getitem__(self, index: int) -> tuple[torch.Tensor, float]:
        path, label = self.rows[index * 7919 % len(self.rows)]
        image = torchvision.io.decode_image(torchvision.io.read_file(str(path)), torchvision.io.ImageReadMode.RGB)
        return self.resize(image), label


def main() -> None:
    """Prepare, then time."""
    options = arguments()
    torch.backends.cudnn.benchmark = True
    device = "cuda" if torch.cuda.is_available() else "cpu"
    readers = max(1, (os.cpu_count() or 2) - 1)
    loader = DataLoader(
        Faces(options.list, options.image_size), options.batch_size, num_workers=readers, pin_memory=True
    )
    files = iter(loader)
    step = stepper(options.model, options.image_size, device, compiled=options.mode == "compile")
    batch = next(files)
    sources = {"memory": iter(lambda: batch, None), "files": files}
    started = time.perf_counter()
    step(*batch).item()
    facts = {
        "device": torch.cuda.get_device_name() if device == "cuda" else "CPU",
        "versions": f"torch {torch.__version__}, torchvision {torchvision.__version__}",
        "first step": time.perf_counter() - started,
        "peak": torch.cuda.max_memory_allocated() / 1e9 if device == "cuda" else None,
    }
    serve(facts, lambda source, seconds: timed(step, sources[source], seconds) * options.batch_size)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("list", type=Path, help="a list of deepfake make-csv or split")
    parser.add_argument("model", choices=MODELS)
    parser.add_argument("batch_size", type=int)
    parser.add_argument("mode", choices=("eager", "compile"))
    parser.add_argument("--image-size", type=int, default=224, help="side of the input, in pixels [%(default)s]")
    return parser.parse_args()


def stepper(name: str, size: int, device: str, *, compiled: bool) -> Any:
    """A function that takes one training step on uint8 images and labels, and returns the loss."""
    model = MODELS[name](size).to(device, memory_format=torch.channels_last)
    weights = list(model.parameters())
    optimizer = torch.optim.Adam(weights, 1e-4, fused=True)
    loss_of, run = torch.nn.BCEWithLogitsLoss(), torch.compile(model) if compiled else model

    def step(images: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
        pixels = images.to(device, non_blocking=True).float().div(127.5).sub(1).to(memory_format=torch.channels_last)
        with torch.autocast(device, torch.bfloat16):
            logits = run(pixels)
        loss = loss_of(logits.float(), labels.to(device, non_blocking=True).float()[:, None])
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(weights, 1.0)
        optimizer.step()
        return loss

    return step


def timed(step: Any, batches: Iterator[Any], seconds: float) -> float:
    """Steps a second. A loss is read one step later, as ours is."""
    losses = [torch.zeros(())]

    def one() -> None:
        losses.append(step(*next(batches)))
        losses.pop(0).item()

    return steps_per_second(one, lambda: losses[-1].item(), seconds)


if __name__ == "__main__":
    main()

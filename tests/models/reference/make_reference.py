"""Score images with the reference architectures of PyTorch, and write ``reference.json`` and the small ``.pth`` files.

Run it once by hand, in an environment of its own: ``pip install torch efficientnet_pytorch timm transformers``, then
``python -m tests.models.reference.make_reference`` from the root of the repository, with the names of cases to make only these
anew. Weights are made by `numbers`, so the file
holds names, shapes and scores only.
"""

import json
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import efficientnet_pytorch
import numpy as np
import torch
from timm.models.resnet import Bottleneck, ResNet
from timm.models.xception import Block, SeparableConv2d, Xception
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel

from tests.models.reference.numbers import images, state

HERE = Path(__file__).parent
CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
GAINS = {  # see numbers.state; found by trying
    "sbi-small": 2.2, "deepfakebench-b4-small": 2.0, "deepfakebench-xception-small": 0.75, "gend-small": 1.0,
    "two-classes-small": 1.0,
    "sbi-full": 1.55, "deepfakebench-b4-full": 1.55, "deepfakebench-xception-full": 0.75, "gend-full": 1.0,
}  # fmt: skip
NARROW = {"channels": (8, 16, 24, 32)}
IMAGENET = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
NONE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def named(prefix: str, build: Callable[[], nn.Module]) -> nn.Module:
    """A network whose tensors have the prefix of a checkpoint."""
    return nn.Sequential(OrderedDict({prefix: build()}))


def b4(small: bool) -> nn.Module:
    """EfficientNet-B4, of a quarter of its width and half of its depth if `small`; the padding of 380 px either way."""
    less = {"width_coefficient": 0.25, "depth_coefficient": 0.5, "depth_divisor": 4} if small else {}
    blocks, options = efficientnet_pytorch.utils.get_model_params("efficientnet-b4", {"num_classes": 2, **less})
    return efficientnet_pytorch.EfficientNet(blocks, options)


class BenchB4(nn.Module):
    """As DeepfakeBench: a first convolution without padding, no head inside, a linear layer after pooling."""

    def __init__(self, small: bool):
        super().__init__()
        self.efficientnet = b4(small)
        stem = self.efficientnet._conv_stem
        self.efficientnet._conv_stem = nn.Conv2d(3, stem.out_channels, 3, 2, bias=False)
        self.last_layer = nn.Linear(self.efficientnet._fc.in_features, 2)
        self.efficientnet._fc = nn.Identity()

    def forward(self, x):
        return self.last_layer(self.efficientnet.extract_features(x).mean((2, 3)))


class SmallXception(Xception):
    """timm's Xception with an eighth of the width and fewer blocks in the middle."""

    def __init__(self):
        super().__init__(num_classes=2)
        self.conv1, self.bn1 = nn.Conv2d(3, 4, 3, 2, 0, bias=False), nn.BatchNorm2d(4)
        self.conv2, self.bn2 = nn.Conv2d(4, 8, 3, bias=False), nn.BatchNorm2d(8)
        sizes = [(8, 16), (16, 32), (32, 91), *[(91, 91)] * 8, (91, 128)]
        for number, (before, after) in enumerate(sizes, 1):
            options = (2, 2) if number in (1, 2, 3, 12) else (3, 1)
            block = Block(before, after, *options, start_with_relu=number > 1, grow_first=number < 12)
            setattr(self, f"block{number}", block)
        self.conv3, self.bn3 = SeparableConv2d(128, 160, 3, 1, 1), nn.BatchNorm2d(160)
        self.conv4, self.bn4 = SeparableConv2d(160, 192, 3, 1, 1), nn.BatchNorm2d(192)
        self.fc = nn.Linear(192, 2)


class GenD(nn.Module):
    """CLIP's image encoder, unit length, a linear head."""

    def __init__(self, small: bool):
        super().__init__()
        less = {
            "hidden_size": 128,
            "intermediate_size": 512,
            "num_hidden_layers": 3,
            "num_attention_heads": 2,
            "image_size": 56,
        }
        large = {
            "hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "num_attention_heads": 16, "image_size": 224,
        }  # fmt: skip
        config = CLIPVisionConfig(patch_size=14, **(less if small else large))
        self.feature_extractor, self.model = nn.Module(), nn.Module()
        self.feature_extractor.vision_model = CLIPVisionModel(config).vision_model
        self.model.linear = nn.Linear(config.hidden_size, 2)

    def forward(self, x):
        return self.model.linear(nn.functional.normalize(self.feature_extractor.vision_model(x).pooler_output))


def cases() -> Iterator[tuple[str, str, int, tuple, Callable[[], nn.Module], dict[str, str]]]:
    """Name, family, side, mean and deviation, network, and how its names differ from those of the checkpoint."""
    for size, small in (("small", True), ("full", False)):
        bench, xception = partial(BenchB4, small), SmallXception if small else partial(Xception, num_classes=2)
        yield f"sbi-{size}", "sbi", 380, NONE, partial(named, "net", partial(b4, small)), {}
        yield f"deepfakebench-b4-{size}", "deepfakebench", 256, HALF, partial(named, "backbone", bench), {}
        head = {"backbone.fc": "backbone.last_linear"}
        yield f"deepfakebench-xception-{size}", "deepfakebench", 256, HALF, partial(named, "backbone", xception), head
        if small:
            yield (
                "two-classes-small",
                "resnet",
                64,
                IMAGENET,
                partial(ResNet, Bottleneck, [1, 2, 1, 1], 2, **NARROW),
                {},
            )
        yield f"gend-{size}", "gend", 56 if small else 224, CLIP, partial(GenD, small), {}


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
        logits = network(torch.from_numpy(pixels.transpose(0, 3, 1, 2).copy()))
    return {"side": side, "gain": gain, "scores": logits.double().softmax(1)[:, 1].tolist(), "shapes": shapes}


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
    torch.save({name: value.to(torch.bfloat16) for name, value in tensors.items()}, HERE / "bfloat16.pth")


def main() -> None:
    path = HERE / "reference.json"
    found = json.loads(path.read_text()) if path.is_file() else {}
    for name, family, side, scaling, build, names in cases():
        if sys.argv[1:] and name not in sys.argv[1:]:
            continue
        found[name] = {"family": family, **scored(build, side, scaling, names, GAINS[name])}
    text = ",\n".join(f"{json.dumps(name)}: {json.dumps(case)}" for name, case in found.items())
    path.write_text(f"{{\n{text}\n}}\n")
    files()


if __name__ == "__main__":
    main()

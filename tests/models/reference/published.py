"""The networks of the families, small and full. Only `make_reference` and `described` import this; it needs PyTorch."""

from collections import OrderedDict
from collections.abc import Callable

import efficientnet_pytorch
from timm.models.xception import Block, SeparableConv2d, Xception
from torch import nn
from transformers import CLIPVisionConfig, CLIPVisionModel

CLIP = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
HALF = (0.5, 0.5, 0.5), (0.5, 0.5, 0.5)
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

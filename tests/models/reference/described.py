"""Small networks of timm, torchvision and others, for descriptions in TOML. Needs PyTorch; only `make_reference` imports it."""

from collections import OrderedDict
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import torch
from timm.layers.activations import QuickGELU
from timm.models import efficientnet as timm_efficientnet
from timm.models import mobilenetv3
from timm.models.resnet import BasicBlock, Bottleneck, ResNet
from timm.models.vgg import VGG as TimmVGG
from timm.models.vision_transformer import VisionTransformer
from torch import nn
from torchvision import models

from tests.models.reference.published import CLIP, HALF, IMAGENET, b4

NARROW = {"channels": (8, 16, 24, 32)}


class Described(NamedTuple):
    """A network for a description in TOML: its name there if needed, side, mean and deviation, and how it is built."""

    architecture: str
    side: int
    scaling: tuple
    build: Callable[[], nn.Module]


def generated(name: str) -> nn.Module:
    """timm's EfficientNet or MobileNetV2, of a quarter of the width and half of the depth."""
    tf = {"pad_type": "same", "bn_eps": 1e-3} if name.startswith("tf_") else {}
    make = {
        "efficientnet_b": timm_efficientnet._gen_efficientnet,
        "efficientnet_l": timm_efficientnet._gen_efficientnet_lite,
        "mobilenetv2_": timm_efficientnet._gen_mobilenet_v2,
    }
    start = next(start for start in make if name.removeprefix("tf_").startswith(start))
    return make[start](name, channel_multiplier=0.25, depth_multiplier=0.5, num_classes=2, **tf)


def timm_v3(name: str) -> nn.Module:
    tf = {"pad_type": "same", "bn_eps": 1e-3} if name.startswith("tf_") else {}
    return mobilenetv3._gen_mobilenet_v3("mobilenetv3_small_050", channel_multiplier=0.5, num_classes=2, **tf)


def torchvision_efficientnet() -> nn.Module:
    settings, last = models.efficientnet._efficientnet_conf("efficientnet_b0", width_mult=0.25, depth_mult=0.5)
    return models.EfficientNet(settings, 0.2, num_classes=1, last_channel=last)


def torchvision_v3() -> nn.Module:
    settings, _ = models.mobilenetv3._mobilenet_v3_conf("mobilenet_v3_small", width_mult=0.5)
    return models.MobileNetV3(settings, 64, num_classes=2)


def small_vgg(normalised: bool) -> nn.Module:
    """torchvision's VGG13 of a 16th of its width."""
    widths = [4, 4, "M", 8, 8, "M", 16, 16, "M", 32, 32, "M", 32, 32, "M"]
    network = models.VGG(models.vgg.make_layers(widths, batch_norm=normalised), num_classes=2)
    network.classifier[0], network.classifier[3] = nn.Linear(32 * 7 * 7, 48), nn.Linear(48, 40)
    network.classifier[6] = nn.Linear(40, 2)
    return network


def timm_vgg() -> nn.Module:
    return TimmVGG([4, "M", 8, "M", 8, 8, "M", 8, "M", 8, "M"], num_classes=2, mlp_ratio=1 / 64)


def timm_clip(quick: bool) -> nn.Module:
    act = {"act_layer": QuickGELU} if quick else {}
    return VisionTransformer(
        img_size=64, patch_size=16, embed_dim=128, depth=2, num_heads=2, pre_norm=True, num_classes=2,
        norm_layer=partial(nn.LayerNorm, eps=1e-5), **act,
    )  # fmt: skip


class OpenAI(nn.Module):
    """CLIP's image encoder under the names of its authors' code, with a linear head of one logit."""

    def __init__(self, width: int = 128, blocks: int = 2, side: int = 64, patch: int = 16):
        super().__init__()
        self.visual, tokens = nn.Module(), (side // patch) ** 2 + 1
        self.visual.conv1 = nn.Conv2d(3, width, patch, patch, bias=False)
        self.visual.class_embedding = nn.Parameter(torch.zeros(width))
        self.visual.positional_embedding = nn.Parameter(torch.zeros(tokens, width))
        self.visual.ln_pre, self.visual.ln_post = nn.LayerNorm(width), nn.LayerNorm(width)
        self.visual.transformer = nn.Module()
        self.visual.transformer.resblocks = nn.ModuleList(map(self._block, [width] * blocks))
        self.fc = nn.Linear(width, 1)

    @staticmethod
    def _block(width: int) -> nn.Module:
        block = nn.Module()
        block.attn, block.ln_1 = nn.MultiheadAttention(width, width // 64, batch_first=True), nn.LayerNorm(width)
        dense = {"c_fc": nn.Linear(width, 4 * width), "gelu": QuickGELU(), "c_proj": nn.Linear(4 * width, width)}
        block.mlp, block.ln_2 = nn.Sequential(OrderedDict(dense)), nn.LayerNorm(width)
        return block

    def forward(self, x):
        x = self.visual.conv1(x).flatten(2).transpose(1, 2)
        x = torch.cat([self.visual.class_embedding.expand(len(x), 1, -1), x], 1) + self.visual.positional_embedding
        x = self.visual.ln_pre(x)
        for block in self.visual.transformer.resblocks:
            y = block.ln_1(x)
            x = x + block.attn(y, y, y, need_weights=False)[0]
            x = x + block.mlp(block.ln_2(x))
        return self.fc(self.visual.ln_post(x[:, 0]))


DESCRIBED = {
    "two-classes-small": Described("", 64, IMAGENET, partial(ResNet, Bottleneck, [1, 2, 1, 1], 2, **NARROW)),
    "timm-resnet18": Described("resnet18", 64, IMAGENET, partial(ResNet, BasicBlock, [1, 1, 2, 1], 1, **NARROW)),
    "efficientnet_pytorch": Described("", 96, IMAGENET, partial(b4, small=True)),  # padding_size = 380
    **{
        f"timm-{name}": Described(name, side, IMAGENET, partial(generated, name))
        for name, side in (
            ("efficientnet_b0", 65), ("tf_efficientnet_b4_ns", 64), ("efficientnet_lite0", 64),
            ("tf_efficientnet_lite0", 75), ("mobilenetv2_100", 64),
        )
    },
    "timm-mobilenetv3": Described("mobilenetv3_small_050", 64, IMAGENET, partial(timm_v3, "mobilenetv3_small_050")),
    "timm-tf-mobilenetv3": Described("tf_mobilenetv3_small_050", 75, IMAGENET, partial(timm_v3, "tf_")),
    "torchvision-efficientnet": Described("", 64, IMAGENET, torchvision_efficientnet),
    "torchvision-mobilenet_v2": Described("", 64, IMAGENET, partial(models.MobileNetV2, 1, 0.25)),
    "torchvision-mobilenet_v3": Described("", 64, IMAGENET, torchvision_v3),
    "torchvision-vgg13": Described("", 224, IMAGENET, partial(small_vgg, False)),
    "torchvision-vgg13_bn": Described("vgg13_bn", 224, IMAGENET, partial(small_vgg, True)),
    "timm-vgg11": Described("vgg11", 224, IMAGENET, timm_vgg),
    "timm-clip": Described("vit_base_patch16_clip_224", 64, CLIP, partial(timm_clip, False)),
    "timm-clip-quickgelu": Described("vit_large_patch14_clip_quickgelu_224.openai", 64, HALF, partial(timm_clip, True)),
    "openai-clip": Described("ViT-B/16", 64, CLIP, OpenAI),
}  # fmt: skip

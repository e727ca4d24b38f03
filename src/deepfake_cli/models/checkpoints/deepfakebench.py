"""DeepfakeBench: its Xception and EfficientNet-B4, trained on FaceForensics++ c23.

Zhiyuan Yan, Yong Zhang, Xinhang Yuan, Siwei Lyu, Baoyuan Wu: DeepfakeBench: A Comprehensive Benchmark of Deepfake Detection,
NeurIPS Datasets and Benchmarks 2023, https://arxiv.org/abs/2307.01426. Files: ``xception_best.pth`` and ``effnb4_best.pth`` of
https://github.com/SCLBD/DeepfakeBench/releases/tag/v1.0.1.

It saw face crops of 1.3 times the aligned face, 256 px, RGB normalised by mean and deviation 0.5. Its EfficientNet has a first
convolution without padding, and the padding of 380 px everywhere else. Class 1 is fake.
"""

from pathlib import Path

import keras
from keras import layers

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.applications import MINUS_ONE_TO_ONE
from deepfake_cli.models.checkpoints.efficientnet import efficientnet
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.tensors import AGAIN, read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers
from deepfake_cli.models.checkpoints.xception import xception

SIZE = 256
SIZE_OF_B4 = 380  # that `efficientnet_pytorch` computes the padding for
UNNEEDED = "backbone.adjust_channel."  # in the file, but not in the path to the score
CARD = {
    "authors": "Zhiyuan Yan, Yong Zhang, Xinhang Yuan, Siwei Lyu, Baoyuan Wu",
    "paper": "DeepfakeBench: A Comprehensive Benchmark of Deepfake Detection, NeurIPS 2023, https://arxiv.org/abs/2307.01426",
    "source": "https://github.com/SCLBD/DeepfakeBench",
    "licence": "CC BY-NC 4.0",
    "commercial": False,
    "trained_on": "FaceForensics++ c23: Deepfakes, Face2Face, FaceSwap, NeuralTextures and their originals",
}


def deepfakebench(path: Path) -> Imported:
    """Read ``xception_best.pth`` or ``effnb4_best.pth``.

    Raises:
        ModelError: it is another file.
    """
    tensors = read(path)
    net, inputs = TorchLayers(tensors), keras.Input((SIZE, SIZE, 3))
    x = layers.Rescaling(**MINUS_ONE_TO_ONE)(inputs)
    if "backbone.efficientnet._conv_stem.weight" in tensors:
        prefix = "backbone.efficientnet."
        features, name, head = (
            efficientnet(net, x, prefix, side=SIZE_OF_B4, stem_padding=False),
            "efficientnet_b4",
            "last_layer",
        )
    elif "backbone.block1.rep.0.conv1.weight" in tensors:
        features, name, head = xception(net, x, "backbone."), "xception", "last_linear"
    else:
        raise ModelError(
            f"{path}: neither Xception nor EfficientNet-B4 of DeepfakeBench, the two that can be imported. {AGAIN}"
        )
    model = net.pooled_classifier(inputs, features, name, f"backbone.{head}")
    tensors.check_all_used(UNNEEDED)
    card = {"name": f"DeepfakeBench {path.stem}", **CARD}
    return Imported(model, Traits(model=name, image_size=SIZE, margin=1.3, card=card))

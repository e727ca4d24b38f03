"""Self-Blended Images: EfficientNet-B4 trained on the reals of FaceForensics++ and fakes made of them.

Kaede Shiohara and Toshihiko Yamasaki: Detecting Deepfakes with Self-Blended Images, CVPR 2022, https://arxiv.org/abs/2204.08376.
Files: ``FFraw.tar`` and ``FFc23.tar``, linked from https://github.com/mapooon/SelfBlendedImages.

Its `inference_video.py` cuts the face box of RetinaFace with an eighth of its width and height added on each side, stretches it
to 380 px, and scales RGB to 0..1 without normalising. Ours is the square of 1.25 times the longer side. Class 1 is fake.
"""

from pathlib import Path

import keras
from keras import layers

from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.checkpoints.efficientnet import efficientnet
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.tensors import read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers

SIZE = 380
CARD = {
    "authors": "Kaede Shiohara, Toshihiko Yamasaki",
    "paper": "Detecting Deepfakes with Self-Blended Images, CVPR 2022, https://arxiv.org/abs/2204.08376",
    "source": "https://github.com/mapooon/SelfBlendedImages",
    "licence": "research only (Self Blended Images Software License Agreement)",
    "commercial": False,
}
TRAINED_ON = "720 reals of FaceForensics++ ({}) and fakes blended of them"


def sbi(path: Path) -> Imported:
    """Read ``FFraw.tar`` or ``FFc23.tar``.

    Raises:
        ModelError: it is another file.
    """
    tensors = read(path)
    inputs = keras.Input((SIZE, SIZE, 3))
    net = TorchLayers(tensors)
    features = efficientnet(net, layers.Rescaling(1 / 255)(inputs), "net.", side=SIZE)
    model = net.pooled_classifier(inputs, features, "efficientnet_b4", "net._fc")
    tensors.check_all_used()
    quality = path.stem.removeprefix("FF") if path.stem in ("FFraw", "FFc23") else "quality unknown"
    card = {"name": f"Self-Blended Images {path.stem}", **CARD, "trained_on": TRAINED_ON.format(quality)}
    return Imported(model, Traits(model=model.name, image_size=SIZE, margin=1.25, card=card))

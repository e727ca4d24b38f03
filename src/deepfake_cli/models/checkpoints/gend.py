"""GenD: CLIP's ViT-L/14 with trained normalisation layers and a linear head on its class token, scaled to unit length.

Andrii Yermakov, Jan Cech, Jiri Matas, Mario Fritz: Deepfake Detection that Generalizes Across Benchmarks, WACV 2026,
https://arxiv.org/abs/2508.06248. File: ``model.safetensors`` of https://huggingface.co/yermandy/GenD_CLIP_L_14; code:
https://github.com/yermandy/GenD.

It saw aligned faces with a scale of 1.3, resized to 224 px with bicubic interpolation, normalised with CLIP's mean and deviation.
Class 1 is fake.
"""

from pathlib import Path

import keras
from keras import layers

from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.checkpoints.clip import TRANSFORMERS, Encoder
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.checkpoints.tensors import read
from deepfake_cli.models.checkpoints.torch_layers import TorchLayers

VISION = "feature_extractor.vision_model."
UNNEEDED = ("feature_extractor.visual_projection.", f"{VISION}embeddings.position_ids")  # not in the path to the score
CARD = {
    "name": "GenD CLIP ViT-L/14",
    "authors": "Andrii Yermakov, Jan Cech, Jiri Matas, Mario Fritz",
    "paper": "Deepfake Detection that Generalizes Across Benchmarks, WACV 2026, https://arxiv.org/abs/2508.06248",
    "source": "https://github.com/yermandy/GenD",
    "licence": "MIT",
    "commercial": True,
    "trained_on": "FaceForensics++ c23: four kinds of fakes and their originals, in pairs",
}


def gend(path: Path) -> Imported:
    """Read ``model.safetensors`` of ``GenD_CLIP_L_14``.

    Raises:
        ModelError: it is another file.
    """
    tensors = read(path)
    encoder = Encoder(tensors, TRANSFORMERS, VISION)
    inputs = keras.Input((encoder.side, encoder.side, 3))
    unit = layers.UnitNormalization(name="unit")(encoder.features(inputs))
    head = TorchLayers(tensors).head(layers.Dropout(0.2, name="dropout")(unit), "model.linear")
    model = keras.Model(inputs, head, name="vit_clip")
    tensors.check_all_used(*UNNEEDED)
    traits = Traits(model=model.name, image_size=encoder.side, margin=1.3, resize="bicubic", card=CARD)
    return Imported(model, traits)

"""MesoNet: Meso4 and MesoInception4, trained on Deepfakes or on Face2Face.

Darius Afchar, Vincent Nozick, Junichi Yamagishi, Isao Echizen: MesoNet: a Compact Facial Video Forgery Detection Network,
WIFS 2018, https://arxiv.org/abs/1809.00888. Files: ``weights/*.h5`` of https://github.com/DariusAf/MesoNet, written by Keras 2.

Its score is the probability of *real*, so the head is negated here. It saw square crops, 256 px, RGB in 0..1. The crops of its
`pipeline.py` are 1.3 times as wide as the face's outline from brow to chin; ours are 1.3 times the box of the face detector.
"""

from pathlib import Path

import h5py

from deepfake_cli.errors import ModelError
from deepfake_cli.inference.runtimes.metadata import Traits
from deepfake_cli.models.checkpoints.imported import Imported
from deepfake_cli.models.files import load_weights
from deepfake_cli.models.head import PROBABILITY
from deepfake_cli.models.meso import meso4, meso_inception4

SIZE = 256
CONVOLUTIONS = {4: meso4, 16: meso_inception4}  # architectures by their number of convolutions
CARD = {
    "authors": "Darius Afchar, Vincent Nozick, Junichi Yamagishi, Isao Echizen",
    "paper": "MesoNet: a Compact Facial Video Forgery Detection Network, WIFS 2018, https://arxiv.org/abs/1809.00888",
    "source": "https://github.com/DariusAf/MesoNet",
    "licence": "Apache-2.0",
    "commercial": True,
}
TRAINED_ON = {  # by the end of the file's name
    "DF": "Deepfakes and reals from the web, of the authors",
    "F2F": "Face2Face and reals of FaceForensics",
}


def mesonet(path: Path) -> Imported:
    """Read ``Meso4_DF.h5``, ``Meso4_F2F.h5``, ``MesoInception_DF.h5`` or ``MesoInception_F2F.h5``.

    Raises:
        ModelError: it is another file.
    """
    build = CONVOLUTIONS.get(_convolutions(path))
    if build is None:
        raise ModelError(
            f"{path}: not of MesoNet. Expected the weights of Meso4 or MesoInception4, such as Meso4_DF.h5."
        )
    model = build((SIZE, SIZE, 3), None)
    load_weights(model, path)
    head = model.get_layer(PROBABILITY)
    head.set_weights([-values for values in head.get_weights()])
    trained_on = TRAINED_ON.get(path.stem.rpartition("_")[2], "unknown: the name of the file does not say it")
    card = {"name": f"MesoNet {path.stem}", **CARD, "trained_on": trained_on}
    return Imported(model, Traits(model=model.name, image_size=SIZE, margin=1.3, card=card))


def _convolutions(path: Path) -> int:
    """The number of convolutions in a file of Keras 2; 0 in another HDF5 file."""
    try:
        with h5py.File(path) as file:
            group = file.get("model_weights") or file
            version = {str(each.attrs.get("keras_version", "")).strip("b'") for each in (file, group)}
            if any(each.startswith("3") for each in version):  # there a high score is real, here fake
                raise ModelError(
                    f"{path}: written by Keras 3, not by the authors of MesoNet. Export a snapshot of your own without --from."
                )
            names = group.attrs.get("layer_names", [])
            return sum("conv2d" in str(name) for name in names)  # bytes or text, by the writer
    except (OSError, TypeError) as error:
        raise ModelError(f"{path}: not an HDF5 file, or damaged: {error}. Download it again.") from None

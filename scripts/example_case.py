"""Write a filled example of a case folder from the shipped clips, and show that its verification finds every flipped bit.

    python scripts/example_case.py FOLDER     # FOLDER/case is the case; a minute, without a network

The exhibits are a clip, its fake as ``deepfake demo`` makes it, a photograph with a generator's mark, and half a file. The key
that signs is made for it.
"""

import argparse
import shutil
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from PIL import Image, PngImagePlugin

from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.case.verify import verify
from deepfake_cli.commands.predict import predict
from deepfake_cli.config import Predict
from deepfake_cli.demo.make_set import make_set
from deepfake_cli.errors import CaseError
from deepfake_cli.media.video import frames


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    folder = parser.parse_args().folder
    write_example(folder)
    found = verify(folder / "case", folder / "public.pem")
    print(f"{folder / 'case'}: {found.files} files with a hash, signed with {found.signer}")
    told, total = flips(folder / "case", folder / "public.pem")
    print(f"One bit flipped in each of {total} files in turn: found in {told}")


def write_example(folder: Path) -> Path:
    """Write the exhibits, a key and the case; returns the case."""
    exhibits = folder / "exhibits"
    exhibits.mkdir(parents=True)
    made = make_set(folder / "set")
    shutil.copy(FOLDER / CLIPS[1][0], exhibits / "1-interview.mp4")
    shutil.copy(made / "fake" / "0001_fake.mp4", exhibits / "2-message.mp4")
    shutil.rmtree(made)
    mark = PngImagePlugin.PngInfo()
    mark.add_text("parameters", "portrait of a man\nSteps: 20, Sampler: Euler a, CFG scale: 7")
    image = next(picture for _, picture in frames(FOLDER / CLIPS[0][0]) if picture is not None)
    Image.fromarray(image[..., ::-1]).save(exhibits / "3-photo.png", pnginfo=mark)
    whole = (FOLDER / CLIPS[2][0]).read_bytes()
    (exhibits / "4-damaged.mp4").write_bytes(whole[len(whole) // 2 :])
    key = Ed25519PrivateKey.generate()
    (folder / "key.pem").write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    (folder / "public.pem").write_bytes(public)
    predict(Predict(paths=sorted(exhibits.iterdir()), case=folder / "case", sign=folder / "key.pem"))
    return folder / "case"


def flips(case: Path, key: Path) -> tuple[int, int]:
    """Flip one bit of each file in turn; returns in how many it was found, and the number of files."""
    files = [path for path in sorted(case.rglob("*")) if path.is_file()]
    told = 0
    for path in files:
        data = path.read_bytes()
        changed = bytearray(data)
        changed[len(data) // 3] ^= 1
        path.write_bytes(changed)
        try:
            told += bool(verify(case, key).wrong)
        except CaseError:
            told += 1
        path.write_bytes(data)
    return told, len(files)


if __name__ == "__main__":
    main()

"""Download a published checkpoint once, with the user's consent to its licence, and check that it is the known file."""

import hashlib
import shutil
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from deepfake_cli.errors import ConfigError, StorageError
from deepfake_cli.storage.files import whole

SECONDS = 20  # without an answer


class Published(NamedTuple):
    """A file at a fixed address, with the SHA-256 that it had when its scores were compared with those of its authors."""

    url: str
    sha256: str
    licence: str


MESONET = "https://raw.githubusercontent.com/DariusAf/MesoNet/master/weights/"
APACHE = "Apache-2.0, https://github.com/DariusAf/MesoNet/blob/master/LICENSE"
PUBLISHED: dict[str, dict[str, Published]] = {  # by family and name; others' terms or addresses do not allow it
    "mesonet": {
        "Meso4_DF.h5": Published(
            f"{MESONET}Meso4_DF.h5", "036ed30d04ffd9c7506f825b97c86aa64915f5818931da96817b169aad790af5", APACHE
        ),
        "Meso4_F2F.h5": Published(
            f"{MESONET}Meso4_F2F.h5", "bcfda015d217b9f8d6557693edbdf9f4e79cfd22672541968dd0e2954462b5d7", APACHE
        ),
        "MesoInception_DF.h5": Published(
            f"{MESONET}MesoInception_DF.h5", "234586d40058e76ef8b6f27ca4b63c06e31c2a5a69c0d8ba6f30b1468ab7bafa", APACHE
        ),
        "MesoInception_F2F.h5": Published(
            f"{MESONET}MesoInception_F2F.h5", "d4533ac8a3197dc35c47405d23d99e888c1d0135e267e03540c7451feaccff3f", APACHE
        ),
    },
}


def download(path: Path, family: str, consent: Callable[[str], bool]) -> None:
    """Download a published checkpoint, unless the file is there already.

    Args:
        path: where to write it; its name says which file it is.
        family: a key of `PUBLISHED`.
        consent: asked with the address and the licence, as text; whether the user agrees.

    Raises:
        ConfigError: the file cannot be downloaded by this package, or the user does not agree.
        StorageError: the host does not answer, or the file is not the known one; nothing is written.
    """
    if path.exists():
        return
    known = PUBLISHED.get(family, {})
    if path.name not in known:
        offered = ", ".join(f"{name} (--from {of})" for of, files in PUBLISHED.items() for name in files)
        raise ConfigError(f"{path.name}: --download has no address for it. It offers {offered}. Download it yourself.")
    published = known[path.name]
    if not consent(f"{published.url}\nLicence: {published.licence}"):
        raise ConfigError(f"{path.name}: not downloaded, without consent to its licence: {published.licence}.")
    with whole(path) as partial:
        _fetch(published, partial)


def _fetch(published: Published, partial: Path) -> None:
    try:
        with urllib.request.urlopen(published.url, timeout=SECONDS) as source, partial.open("wb") as target:
            shutil.copyfileobj(source, target)
    except OSError as error:  # those of urllib, too
        raise StorageError(
            f"{published.url} cannot be downloaded: {getattr(error, 'reason', error)}. Download it with a browser, and give "
            "the file."
        ) from None
    digest = hashlib.sha256(partial.read_bytes()).hexdigest()
    if digest != published.sha256:
        raise StorageError(
            f"{published.url}: its SHA-256 is {digest}, expected {published.sha256}: another file than the one that was "
            "tested. It was not kept. Download it yourself if you trust it."
        )

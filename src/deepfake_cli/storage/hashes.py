"""SHA-256 of files: the one hash of this package.

Up to version 0.1 some records hold BLAKE2b with 16 bytes; `same` reads both, by their length.
"""

import hashlib
from pathlib import Path
from typing import Any

from deepfake_cli.storage import tar_shards
from deepfake_cli.storage.downloads import local_path
from deepfake_cli.storage.files import regular

FORMER_BYTES = 16  # of the BLAKE2b in earlier records


def sha256(path: str | Path) -> str:
    """The SHA-256 of the bytes of a file, also in a tar or remote, as 64 hexadecimal digits. The file is opened read-only.

    Raises:
        OSError: the file is missing or cannot be read.
        StorageError: the file is remote and cannot be read.
    """
    return digest(path, hashlib.sha256)


def same(path: str | Path, recorded: str | None) -> bool:
    """Whether a file has the hash in a record, of this version or an earlier one.

    Raises:
        OSError: the file is missing or cannot be read.
        StorageError: the file is remote and cannot be read.
    """
    return recorded is not None and recorded == digest(path, maker(recorded))


def maker(recorded: str) -> Any:
    """The hash function of a record, by the length of the hash: `hashlib.sha256`, or BLAKE2b with 16 bytes."""
    return former if len(recorded) == 2 * FORMER_BYTES else hashlib.sha256


def name(recorded: str) -> str:
    """The name of the hash function of a record: ``SHA-256`` or ``BLAKE2b``."""
    return "BLAKE2b" if maker(recorded) is former else "SHA-256"


def former(data: bytes = b"") -> Any:
    """BLAKE2b with 16 bytes, as earlier versions made it."""
    return hashlib.blake2b(data, digest_size=FORMER_BYTES)


def digest(path: str | Path, make: Any) -> str:
    """The hash of a file by the hash function `make`, in hexadecimal digits; see `sha256`."""
    if inside := tar_shards.packed(path):
        return str(make(tar_shards.read(*inside)).hexdigest())
    with regular(local_path(Path(path))).open("rb") as file:
        return str(hashlib.file_digest(file, make).hexdigest())

"""Verify a case folder. Nothing in it is written."""

from dataclasses import dataclass
from pathlib import Path

from deepfake_cli.case import log, signature, sums
from deepfake_cli.errors import CaseError
from deepfake_cli.storage.hashes import sha256


@dataclass(frozen=True)
class Verified:
    """What `verify` found.

    Attributes:
        files: number of files with a recorded hash.
        wrong: what is not as it was written, by file; empty if all is.
        sha256: hash of ``SHA256SUMS``.
        signer: fingerprint of the key that signed; empty without a signature.
    """

    files: int
    wrong: dict[str, str]
    sha256: str
    signer: str


def verify(folder: Path, signed_by: Path | None = None) -> Verified:
    """Compare a case folder with its hashes, and check its signature.

    Args:
        folder: that ``deepfake predict --case`` wrote.
        signed_by: public key of the signer; None for the one in the folder, which anyone could have put there.

    Raises:
        CaseError: the folder has no hashes, or they are not as they are written; or a key cannot be read.
    """
    if not folder.is_dir():
        raise CaseError(f"{folder}: no such folder. Give the folder that deepfake predict --case wrote.")
    key = signature.public_key(signed_by) if signed_by else None
    wrong = sums.changes(folder)
    signer = ""
    if key or signature.is_signed(folder):
        try:
            signer, fault = signature.check(folder, key)
        except CaseError as error:  # its key was changed, too
            fault = str(error)
        if fault:
            wrong[sums.SIGNATURE] = fault.removeprefix(f"{sums.SIGNATURE}: ")
    if log.NAME not in wrong and (folder / log.NAME).is_file() and (fault := log.fault(folder / log.NAME)):
        wrong[log.NAME] = fault
    return Verified(len(sums.read(folder)), wrong, sha256(folder / sums.NAME), signer)

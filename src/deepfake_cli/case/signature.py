"""Sign ``SHA256SUMS`` with Ed25519 (RFC 8032), and check the signature.

``openssl pkeyutl -verify -rawin -pubin -inkey signer.pem -in SHA256SUMS -sigfile SHA256SUMS.sig`` checks it, too.
"""

import hashlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from deepfake_cli.case.sums import NAME, SIGNATURE
from deepfake_cli.errors import CaseError
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_regular, whole

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

SIGNER = "signer.pem"  # the public key, in the folder
PASSWORD = "DEEPFAKE_SIGN_PASSWORD"
LARGEST = 2**16  # bytes of a key
MAKE = "Make one with: openssl genpkey -algorithm ed25519 -out key.pem"


def private_key(path: Path) -> "Ed25519PrivateKey":
    """Read a private key, PEM or OpenSSH; its password, if it has one, is in the environment.

    Raises:
        CaseError: it cannot be read, or is of another kind.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    text, password = _text(path), os.environ.get(PASSWORD, "").encode() or None
    load: Any = serialization.load_ssh_private_key if b"OPENSSH" in text else serialization.load_pem_private_key
    try:
        key = _unlocked(load, text, password)
    except Exception as error:  # noqa: BLE001 - a wrong password, a public key, any other file: there is no common class
        said = str(error).lower()
        if "bcrypt" in said:
            raise CaseError(f"{path}: an OpenSSH key with a password needs bcrypt: pip install bcrypt") from None
        if "password" in said and not password:
            raise CaseError(f"{path}: the key has a password. Set it in the variable {PASSWORD}.") from None
        raise CaseError(f"{path}: not a private key, or the password in {PASSWORD} is wrong. {MAKE}") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise CaseError(f"{path}: a key of another kind; expected Ed25519. {MAKE}")
    return key


def public_key(path: Path) -> "Ed25519PublicKey":
    """Read a public key, PEM or OpenSSH.

    Raises:
        CaseError: it cannot be read, or is of another kind.
    """
    from cryptography.hazmat.primitives import serialization
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    text = _text(path)
    load: Any = serialization.load_ssh_public_key if text.startswith(b"ssh-") else serialization.load_pem_public_key
    try:
        key = load(text)
    except Exception:  # noqa: BLE001 - see above
        raise CaseError(
            f"{path}: not a public key. Write one with: openssl pkey -in key.pem -pubout -out public.pem"
        ) from None
    if not isinstance(key, Ed25519PublicKey):
        raise CaseError(f"{path}: a key of another kind; expected Ed25519.")
    return key


def fingerprint(key: "Ed25519PublicKey") -> str:
    """The SHA-256 of the 32 bytes of a public key, as hexadecimal digits."""
    return hashlib.sha256(key.public_bytes_raw()).hexdigest()


def write_signer(folder: Path, key: "Ed25519PrivateKey") -> None:
    """Write the public key into the folder."""
    from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

    with whole(folder / SIGNER) as partial:
        partial.write_bytes(key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))


def sign(folder: Path, key: "Ed25519PrivateKey") -> None:
    """Sign the hashes of the folder."""
    with whole(folder / SIGNATURE) as partial:
        partial.write_bytes(key.sign((folder / NAME).read_bytes()))


def is_signed(folder: Path) -> bool:
    """Whether the folder has a signature, or a key that says that it had one."""
    return (folder / SIGNATURE).exists() or (folder / SIGNER).exists()


def check(folder: Path, expected: "Ed25519PublicKey | None" = None) -> tuple[str, str]:
    """Check the signature of a folder.

    Args:
        folder: of the case.
        expected: the key that must have signed; None for the one in the folder.

    Returns:
        The fingerprint of the key, and what is wrong; empty if the signature is valid.

    Raises:
        CaseError: the key in the folder cannot be read.
    """
    from cryptography.exceptions import InvalidSignature

    for name in (SIGNATURE, SIGNER):
        if (folder / name).exists() and not (folder / name).is_file():  # reading a pipe would block
            return "", f"{SIGNATURE}: {name} is not a file"
    try:
        key = expected or public_key(folder / SIGNER)
        signature = read_regular(folder / SIGNATURE, LARGEST)
        key.verify(signature, (folder / NAME).read_bytes())
    except OSError as error:
        return "", f"{SIGNATURE}: {reason(error)}"
    except InvalidSignature:
        return fingerprint(key), f"{SIGNATURE}: not a signature of this key"
    return fingerprint(key), ""


def _unlocked(load: Any, text: bytes, password: bytes | None) -> Any:
    """The key; one without a password is read without it."""
    try:
        return load(text, None)
    except (TypeError, ValueError):
        if password is None:
            raise
        return load(text, password)


def _text(path: Path) -> bytes:
    try:
        return read_regular(path, LARGEST)
    except OSError as error:
        raise CaseError(f"{path}: {reason(error)}.") from None

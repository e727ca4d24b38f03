"""The file system of a remote path, by fsspec (https://filesystem-spec.readthedocs.io), and its errors."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

from deepfake_cli.errors import StorageError
from deepfake_cli.installation import install
from deepfake_cli.storage.urls import protocol, url


def located(path: Path) -> tuple[Any, str]:
    """The fsspec file system of a remote path, and the path in it.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    files = _files(protocol(path))
    return files, files._strip_protocol(url(path))


@cache
def _files(protocol: str) -> Any:
    """The fsspec file system of a protocol, one per process; credentials come from the environment.

    Raises:
        StorageError: the package for this protocol is missing.
    """
    try:
        import fsspec

        return fsspec.filesystem(protocol)
    except (ImportError, ValueError) as error:
        raise StorageError(
            f"{protocol}://: {error}. For s3://: {install('s3')}; for gs://: {install('gs')}; for another protocol: the package "
            "that fsspec needs."
        ) from None


@contextmanager
def storage_errors(path: Path, what: str) -> Iterator[None]:
    """Convert exceptions of fsspec to a `StorageError` that names the file."""
    try:
        yield
    except (FileNotFoundError, StorageError):
        raise
    except Exception as error:  # each file system of fsspec has its own
        text = " ".join(str(error).split()) or type(error).__name__
        raise StorageError(
            f"{url(path)} cannot be {what}: {text}. Check the address, the credentials and the network."
        ) from error

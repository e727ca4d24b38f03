"""``SHA256SUMS``: the hash of each file of a folder, as ``sha256sum --check`` reads it."""

import re
from pathlib import Path

from deepfake_cli.errors import CaseError
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_regular, write_text
from deepfake_cli.storage.hashes import sha256

NAME, SIGNATURE = "SHA256SUMS", "SHA256SUMS.sig"
LINE = re.compile(r"([0-9a-f]{64})  ([^\n\\]+)\n")
LARGEST = 2**26  # bytes of the file


def write(folder: Path) -> Path:
    """Write the hashes of all files in a folder, sorted by name."""
    files = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    hashes = {name: sha256(path) for name, path in files.items() if name not in (NAME, SIGNATURE)}
    write_text(folder / NAME, "".join(f"{hashes[name]}  {name}\n" for name in sorted(hashes)))
    return folder / NAME


def read(folder: Path) -> dict[str, str]:
    """The hashes by name.

    Raises:
        CaseError: the file is missing, or not as `write` writes it.
    """
    path = folder / NAME
    if path.exists() and not path.is_file():  # reading a pipe would block
        raise _not_ours(path)
    try:
        text = read_regular(path, LARGEST).decode()
    except OSError as error:
        raise CaseError(f"{path}: {reason(error)}. Give the folder that deepfake predict --case wrote.") from None
    except UnicodeDecodeError:
        raise _not_ours(path) from None
    rows = [(name, digest) for digest, name in LINE.findall(text)]
    if "".join(f"{digest}  {name}\n" for name, digest in rows) != text or [*sorted(dict(rows))] != [
        row[0] for row in rows
    ]:
        raise _not_ours(path)
    if any(name.startswith("/") or ".." in Path(name).parts for name, _ in rows):
        raise _not_ours(path)
    return dict(rows)


def changes(folder: Path) -> dict[str, str]:
    """What is not as it was written, by name: files that changed, are missing, or were added.

    Raises:
        CaseError: see `read`.
    """
    recorded = read(folder)
    parents = {parent.as_posix() for name in recorded for parent in Path(name).parents}
    found = {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*"))}
    wrong = {name: "missing" for name in recorded if name not in found}
    for name, path in found.items():
        if name in recorded:
            if what := _change(path, recorded[name]):
                wrong[name] = what
        elif name not in (NAME, SIGNATURE) and not (path.is_dir() and name in parents):
            wrong[name] = "added"
    return dict(sorted(wrong.items()))


def _change(path: Path, recorded: str) -> str:
    if path.is_symlink() or not path.is_file():
        return "replaced: not a file"
    try:
        return "" if sha256(path) == recorded else "changed"
    except OSError as error:
        return reason(error)


def _not_ours(path: Path) -> CaseError:
    return CaseError(
        f"{path}: changed: not as deepfake predict --case writes it. Get the folder from its source again."
    )

"""``deepfake predict --verify``."""

from pathlib import Path

from deepfake_cli.cli.console import console, print_json, table
from deepfake_cli.errors import CaseError


def verify(folder: Path, signed_by: Path | None, json: bool) -> None:
    """Check a case folder, and say what is not as it was written.

    Raises:
        CaseError: something is not.
    """
    from deepfake_cli.case.verify import verify as run

    found = run(folder, signed_by)
    if json:
        print_json({"files": found.files, "wrong": found.wrong, "sha256": found.sha256, "signer": found.signer})
    elif found.wrong:
        console.print(table(None, ["file", "what is wrong"], found.wrong.items()))
    else:
        console.print(f"{folder}: {found.files:,} files are as they were written.")
        console.print(f"SHA-256 of SHA256SUMS: {found.sha256}. Compare it with the one that was noted.")
        whose = "the given key" if signed_by else "the key in the folder; compare its fingerprint with the signer's own"
        console.print(f"Signed with {whose}: {found.signer}" if found.signer else "Not signed.")
    if found.wrong:
        raise CaseError(f"{folder}: not as it was written: {', '.join(list(found.wrong)[:5])}. Do not rely on it.")

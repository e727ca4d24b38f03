"""Content Credentials (C2PA): a signed statement in a file of who made it, how, and from what.

They are read with ``c2pa-python``, the extra ``provenance``. Nothing is fetched: no remote manifest, no revocation list.

Source: Coalition for Content Provenance and Authenticity, C2PA Technical Specification 2.2 (2025).
"""

from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from deepfake_cli.errors import ConfigError, DeepfakeError
from deepfake_cli.installation import install
from deepfake_cli.media.header import Fact
from deepfake_cli.media.texts import plain
from deepfake_cli.provenance.marks import source_type
from deepfake_cli.storage.disk import reason
from deepfake_cli.storage.files import read_regular
from deepfake_cli.storage.json_files import parse_json

MOST = 64  # actions, ingredients and faults
UNTRUSTED = "signingCredential.untrusted"
FORMATS = {  # first bytes, from an offset: the format for c2pa
    (0, b"\xff\xd8\xff"): "image/jpeg",
    (0, b"\x89PNG"): "image/png",
    (4, b"ftyp"): "video/mp4",  # also of HEIC and AVIF, which have the same boxes
    (8, b"WEBP"): "image/webp",
    (8, b"AVI "): "video/avi",
    (0, b"II*\0"): "image/tiff",
    (0, b"MM\0*"): "image/tiff",
    (0, b"GIF8"): "image/gif",
}
OFFLINE = {"remote_manifest_fetch": False, "ocsp_fetch": False, "verify_trust": True}
WORDS = {
    "none": "no Content Credentials",
    "not checked": "Content Credentials are there, but were not checked",
    "trusted": "Content Credentials are intact, and signed by a trusted signer",
    "valid": "Content Credentials are intact, but the signer is not among the trusted ones",
    "invalid": "Content Credentials are NOT valid",
    "unreadable": "Content Credentials cannot be read",
}


class Ingredient(Fact):
    """A file that this one was made from."""

    title: str
    relationship: str
    state: str = Field("", description="What the check of its own Content Credentials gave; empty without any")


class Action(Fact):
    """What was done to the file."""

    action: str
    source_type: str = ""
    software: str = ""
    when: str = ""


class Credentials(Fact):
    """The Content Credentials of a file."""

    state: Literal["none", "not checked", "trusted", "valid", "invalid", "unreadable"] = Field(
        description="none: not there. trusted: intact, by a signer whose root was given as trusted. valid: intact, but the root "
        "was not given as trusted. invalid: file or statement was changed, or the certificate had expired. not checked: the "
        "extra provenance is not installed. unreadable: damaged."
    )
    faults: list[str] = Field([], description="What is wrong, by the codes of C2PA")
    issuer: str = Field("", description="Organisation in the signer's certificate")
    signer: str = Field("", description="Name in the signer's certificate")
    signed: str = Field("", description="Time of the signature, if a time-stamp authority gave it")
    generator: str = Field("", description="Program that made the statement")
    actions: list[Action] = []
    source_types: list[str] = Field([], description="digitalSourceType, with its meaning")
    ingredients: list[Ingredient] = []
    remote: str | None = Field(None, description="Address of a statement that is not in the file; it is not fetched")
    checked_with: str = ""

    @property
    def sentence(self) -> str:
        """The state in words; empty without Content Credentials."""
        if self.state == "none":
            return f"Content Credentials are elsewhere, and were not fetched: {self.remote}" if self.remote else ""
        by = f" ({', '.join(filter(None, (self.issuer, self.signer)))})" if self.issuer or self.signer else ""
        why = f": {'; '.join(self.faults)}" if self.faults and self.state not in ("trusted", "valid") else ""
        said = f". They say: {'; '.join(self.source_types)}" if self.source_types else ""
        return f"{WORDS[self.state]}{by}{why}{said}"


def check_trust(trust: Path | None) -> None:
    """Check that certificates to trust can be used, before the work.

    Raises:
        ConfigError: the extra is not installed, or the file is no list of certificates.
    """
    if trust is None:
        return
    if not installed():
        raise ConfigError(f"--trust needs c2pa-python, which is not installed: {install('provenance')}")
    try:
        text = read_regular(trust)
    except OSError as error:
        raise ConfigError(f"{trust}: {reason(error)}. Give a file of certificates (PEM).") from None
    if b"-----BEGIN CERTIFICATE-----" not in text:
        raise ConfigError(f"{trust}: no certificates. Give a PEM file, with lines -----BEGIN CERTIFICATE-----.")


def installed() -> bool:
    """Whether the extra ``provenance`` is installed."""
    return find_spec("c2pa") is not None


def credentials(path: Path, store: bool, remote: str | None = None, trust: Path | None = None) -> Credentials:
    """Read and check the Content Credentials of a file; damaged ones are a state, not an error.

    Args:
        path: a local file.
        store: whether it has a store of them, as `deepfake_cli.provenance.scan.scan` found.
        remote: where XMP says that they are.
        trust: certificates (PEM) of signers to trust.
    """
    if not store:
        return Credentials(state="none", remote=remote)
    if not installed():
        return Credentials(state="not checked", faults=[f"to check them: {install('provenance')}"], remote=remote)
    import c2pa

    version = f"c2pa {c2pa.sdk_version()}"
    try:
        found = parse_json(_read(path, trust), dict[str, Any], str(path), DeepfakeError)
        return _summary(found).model_copy(update={"remote": remote, "checked_with": version})
    except Exception as error:  # noqa: BLE001 - of c2pa, json, or this module on a statement of another form
        return Credentials(state="unreadable", faults=[plain(error)], remote=remote, checked_with=version)


def _read(path: Path, trust: Path | None) -> str:
    """The report of c2pa, as JSON."""
    import c2pa

    settings: dict[str, Any] = {"verify": OFFLINE}
    if trust:
        settings["trust"] = {"trust_anchors": trust.read_text(encoding="ascii", errors="ignore")}
    with path.open("rb") as file:
        head = file.read(16)
        kind = next((kind for (at, mark), kind in FORMATS.items() if head[at : at + len(mark)] == mark), "")
        if not kind:
            raise ValueError("in a format that c2pa cannot read")
        file.seek(0)
        with c2pa.Reader(kind, file, context=c2pa.Context.from_dict(settings)) as reader:
            return str(reader.json())


def _summary(found: dict[str, Any]) -> Credentials:
    manifests = _dict(found.get("manifests"))
    active = _dict(manifests.get(str(found.get("active_manifest"))))
    signature = _dict(active.get("signature_info"))
    failures = _list(_dict(_dict(found.get("validation_results")).get("activeManifest")).get("failure"))
    faults = [_dict(each) for each in failures if _dict(each).get("code") != UNTRUSTED]
    state = {"Trusted": "trusted", "Valid": "valid"}.get(str(found.get("validation_state")), "invalid")
    actions = [_action(each) for each in _actions(active)]
    types = [
        action.source_type for manifest in manifests.values() for action in map(_action, _actions(_dict(manifest)))
    ]
    return Credentials(
        state=state,
        faults=[plain(f"{each.get('code')}: {each.get('explanation')}") for each in faults[:MOST]],
        issuer=plain(signature.get("issuer") or "", 120),
        signer=plain(signature.get("common_name") or "", 120),
        signed=plain(signature.get("time") or "", 40),
        generator=", ".join(_named(each) for each in _list(active.get("claim_generator_info"))[:4]),
        actions=actions[:MOST],
        source_types=list(dict.fromkeys(filter(None, types)))[:MOST],
        ingredients=[_ingredient(_dict(each)) for each in _list(active.get("ingredients"))[:MOST]],
    )


def _actions(manifest: dict[str, Any]) -> list[dict[str, Any]]:
    assertions = map(_dict, _list(manifest.get("assertions")))
    stated = [_dict(each.get("data")) for each in assertions if str(each.get("label")).startswith("c2pa.actions")]
    return [_dict(action) for data in stated for action in _list(data.get("actions"))][:MOST]


def _action(found: dict[str, Any]) -> Action:
    software = found.get("softwareAgent") or ""
    kind = found.get("digitalSourceType")
    return Action(
        action=plain(found.get("action") or "", 80),
        source_type=source_type(str(kind)) if kind else "",
        software=_named(software) if isinstance(software, dict) else plain(software, 120),
        when=plain(found.get("when") or "", 40),
    )


def _ingredient(found: dict[str, Any]) -> Ingredient:
    title = found.get("title") or found.get("instance_id") or "without a name"
    failures = _list(_dict(_dict(found.get("validation_results")).get("activeManifest")).get("failure"))
    codes = [str(_dict(each).get("code")) for each in failures]
    state = ("not valid: " + "; ".join(codes[:8]) if codes else "valid") if found.get("active_manifest") else ""
    return Ingredient(
        title=plain(title, 120), relationship=plain(found.get("relationship") or "", 40), state=plain(state)
    )


def _named(found: Any) -> str:
    info = _dict(found)
    return plain(" ".join(str(info[name]) for name in ("name", "version") if info.get(name)), 120)


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []

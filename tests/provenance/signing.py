"""Sign files with Content Credentials, by certificates made here."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FORMATS = {".mp4": "video/mp4", ".jpg": "image/jpeg", ".png": "image/png"}
GENERATED = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"
COMPOSITE = "http://cv.iptc.org/newscodes/digitalsourcetype/compositeWithTrainedAlgorithmicMedia"
SHA256 = hashes.SHA256()


@dataclass(frozen=True)
class Root:
    """A root certificate, with its key."""

    key: ec.EllipticCurvePrivateKey
    certificate: x509.Certificate

    @property
    def pem(self) -> bytes:
        return self.certificate.public_bytes(Encoding.PEM)


def _name(common: str) -> x509.Name:
    parts = {NameOID.COUNTRY_NAME: "DE", NameOID.ORGANIZATION_NAME: "Test Newsroom", NameOID.COMMON_NAME: common}
    return x509.Name([x509.NameAttribute(oid, text) for oid, text in parts.items()])


def _builder(subject: str, issuer: str, key, end: datetime) -> x509.CertificateBuilder:
    public = key.public_key()
    return (
        x509.CertificateBuilder()
        .subject_name(_name(subject))
        .issuer_name(_name(issuer))
        .public_key(public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(datetime.now(UTC) - timedelta(days=9))
        .not_valid_after(end)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
    )


def _usage(*, signs: bool) -> x509.KeyUsage:
    return x509.KeyUsage(signs, False, False, False, False, not signs, not signs, False, False)


def root(name: str) -> Root:
    key = ec.generate_private_key(ec.SECP256R1())
    made = _builder(name, name, key, datetime.now(UTC) + timedelta(days=9))
    made = made.add_extension(x509.BasicConstraints(True, None), critical=True)
    return Root(key, made.add_extension(_usage(signs=False), critical=True).sign(key, SHA256))


def sign(
    source: Path, target: Path, by: Root, *, seconds: float = 86_400, source_type: str = GENERATED,
    ingredient: Path | None = None, remote: str = "", title: str = "a clip",
) -> Path:  # fmt: skip
    """Sign a file with a new certificate that is valid for some seconds; without embedding, if `remote` has its address."""
    import c2pa

    key, issuer = ec.generate_private_key(ec.SECP256R1()), by.certificate.subject
    common = issuer.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value
    made = _builder("Test Signer", common, key, datetime.now(UTC) + timedelta(seconds=seconds))
    made = made.add_extension(x509.BasicConstraints(False, None), critical=True)
    made = made.add_extension(_usage(signs=True), critical=True)
    made = made.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.EMAIL_PROTECTION]), critical=True)
    authority = x509.AuthorityKeyIdentifier.from_issuer_public_key(by.key.public_key())
    certificate = made.add_extension(authority, critical=False).sign(by.key, SHA256)

    def signed(data: bytes) -> bytes:
        return b"".join(number.to_bytes(32) for number in decode_dss_signature(key.sign(data, ec.ECDSA(SHA256))))

    chain = certificate.public_bytes(Encoding.PEM) + by.pem
    signer = c2pa.Signer.from_callback(signed, c2pa.C2paSigningAlg.ES256, chain.decode(), None)
    action = {"action": "c2pa.created", "digitalSourceType": source_type, "softwareAgent": "Generator 1"}
    manifest = {
        "claim_generator_info": [{"name": "test maker", "version": "1"}],
        "title": title,
        "assertions": [{"label": "c2pa.actions", "data": {"actions": [action]}}],
    }
    context = c2pa.Context.from_dict({"verify": {"verify_after_sign": False, "verify_trust": False}})
    builder = c2pa.Builder(json.dumps(manifest), context)
    if ingredient:
        with ingredient.open("rb") as file:
            builder.add_ingredient({"title": ingredient.name}, FORMATS[ingredient.suffix], file)
    if remote:
        builder.set_no_embed()
        builder.set_remote_url(remote)
    with source.open("rb") as file, target.open("w+b") as out:
        builder.sign(signer, FORMATS[target.suffix], file, out)
    return target

"""The case folder: it stands alone, shows any change, and appears whole or not at all."""

import hashlib
import json
import os
import platform
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import jsonschema
import pytest
from cryptography.hazmat.primitives import serialization as keys
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from deepfake_cli.assets import CLIPS, FOLDER, STARTER
from deepfake_cli.case import log, signature, sums
from deepfake_cli.case.verify import verify
from deepfake_cli.commands.predict import predict
from deepfake_cli.config import Predict
from deepfake_cli.errors import CaseError, DeepfakeError

CLIP = FOLDER / CLIPS[0][0]
HOSTILE = "<script>alert(1)<script> 中\u202egpj.mp4"


def pem(path: Path, key=None, password: bytes | None = None) -> Path:
    """Write a private key."""
    lock = keys.BestAvailableEncryption(password) if password else keys.NoEncryption()
    made = (key or Ed25519PrivateKey.generate()).private_bytes(keys.Encoding.PEM, keys.PrivateFormat.PKCS8, lock)
    path.write_bytes(made)
    return path


def public(path: Path, private: Path) -> Path:
    """Write the public half of a private key."""
    made = signature.private_key(private).public_key()
    path.write_bytes(made.public_bytes(keys.Encoding.PEM, keys.PublicFormat.SubjectPublicKeyInfo))
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory) -> Path:
    """A signed case of a video and of a file that is none; its key is beside it."""
    root = tmp_path_factory.mktemp("case")
    key = pem(root / "key.pem")
    (root / HOSTILE).write_text("no video")
    predict(Predict(paths=[CLIP, root / HOSTILE], every=15, case=root / "case", sign=key))
    return root / "case"


@pytest.fixture
def case(made, tmp_path) -> Path:
    """A copy that may be changed."""
    return shutil.copytree(made, tmp_path / "case")


def record_of(folder: Path) -> dict:
    return json.loads((folder / "record.json").read_text())


def test_the_record_says_what_was_examined_and_matches_its_schema(made):
    record = record_of(made)
    schema = json.loads((made / "record.schema.json").read_text())
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.validate(record, schema)
    clip, bad = record["files"]
    assert set(clip) == set(bad) == set(schema["$defs"]["Examined"]["properties"]), "the schema names all that is said"
    assert set(record) == set(schema["properties"])
    found = clip["record"]
    sha256 = hashlib.sha256(CLIP.read_bytes()).hexdigest()
    assert found["file"]["sha256"] == found["file"]["sha256_after"] == sha256
    assert found["detector"]["sha256"] == hashlib.sha256(STARTER.read_bytes()).hexdigest()
    assert found["settings"]["every"] == record["settings"]["every"] == 15 and "--every 15" in record["command"]
    assert found["header"]["streams"][0]["codec"] == "h264" and found["header"]["key_frames"]["count"] == 1
    assert found["frames"] == {"read": 5, "judged": 5, "left_out": {}} and found["face_sizes"]["boxes"] == 5
    assert 0 <= clip["condition"]["turn"] < 0.2 and clip["error_rates"]["turn"]["where"] == {"turn": [None, 0.2]}
    assert bad["verdict"] == "undecided" and bad["record"]["file"]["sha256"] and not bad["shown"]


def test_the_graph_conforms_to_case(made):
    """By case-utils, where it is installed: it brings ten packages that nothing else here needs."""
    graph = json.loads((made / "record.jsonld").read_text())
    hashes = [node["types:hashValue"]["@value"] for node in nodes(graph) if node.get("@type") == "types:Hash"]
    assert hashes == [entry["record"]["file"]["sha256"] for entry in record_of(made)["files"]]
    actions = [node for node in nodes(graph) if node.get("@type") == "investigation:InvestigativeAction"]
    known = {node["@id"] for node in graph["@graph"]}
    assert len(actions) == 2 and all(action["action:object"]["@id"] in known for action in actions)
    if program := shutil.which("case_validate"):
        subprocess.run([program, made / "record.jsonld"], check=True, capture_output=True)


def nodes(value) -> list[dict]:
    """All objects in JSON, at any depth."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [value] * isinstance(value, dict) + [node for each in inner for node in nodes(each)]


def test_the_folder_stands_alone(made):
    record, names = record_of(made), {path.name for path in made.iterdir()}
    assert names == {
        *("report.html", "report.pdf", "record.json", "record.schema.json", "record.jsonld", "log.jsonl", "frames"),
        *("SHA256SUMS", "SHA256SUMS.sig", "signer.pem"),
    }
    for shown in record["files"][0]["shown"]:
        assert all((made / shown[kind]).is_file() for kind in ("picture", "face_picture", "heat_picture"))
    page = (made / "report.html").read_text()
    assert record["files"][0]["record"]["file"]["sha256"] in page
    assert "<script>" not in page and 'src="http' not in page


def test_the_pdf_has_the_record_and_escapes_what_its_font_lacks(made):
    pdfium = pytest.importorskip("pypdfium2")
    pages = pdfium.PdfDocument(made / "report.pdf")
    text = " ".join(page.get_textpage().get_text_range() for page in pages)
    flat = "".join(text.split())
    assert record_of(made)["files"][0]["record"]["file"]["sha256"] in flat
    assert "Averdictisnotaproof" in flat and r"\u4e2d" in flat and r"\u202e" in flat
    for report in (text, (made / "report.html").read_text()):
        assert "Error rates on files like this" in report and "face size" in report
    assert b"pdfaid" in (made / "report.pdf").read_bytes()


def test_long_metadata_fit_into_the_pdf(tmp_path):
    from tests.provenance.test_provenance import remuxed

    clip = remuxed(CLIP, tmp_path / "long.mp4", **{f"tag{number}": "W" * 9000 for number in range(99)})
    predict(Predict(paths=[clip], every=40, case=tmp_path / "case"))
    assert record_of(tmp_path / "case")["files"][0]["record"]["header"]["tags"]["…"].endswith("more fields")
    assert verify(tmp_path / "case").wrong == {}


def test_standard_programs_check_the_folder(made):
    for line in (
        "sha256sum --check --strict --quiet SHA256SUMS",
        "openssl pkeyutl -verify -rawin -pubin -inkey signer.pem -in SHA256SUMS -sigfile SHA256SUMS.sig",
    ):
        if shutil.which(line.split()[0]):
            subprocess.run(line.split(), cwd=made, check=True, capture_output=True)


def test_one_flipped_bit_is_found_in_every_file(case):
    assert verify(case).wrong == {}
    for path in sorted(path for path in case.rglob("*") if path.is_file()):
        data = path.read_bytes()
        for place, bit in ((0, 0), (len(data) // 2, 5), (len(data) - 1, 7)):
            changed = bytearray(data)
            changed[place] ^= 1 << bit
            path.write_bytes(changed)
            try:
                found = set(verify(case).wrong)
            except CaseError as error:
                found = {path.name} if f"{path}: changed" in str(error) else set()
            name = path.relative_to(case).as_posix()
            assert name in found or (path.name == sums.NAME and found), (name, place, found)
        path.write_bytes(data)
    assert verify(case).wrong == {}


def test_every_bit_of_the_hashes_and_of_the_signature_counts(case):
    recorded = sums.read(case)
    for name in (sums.NAME, sums.SIGNATURE):
        path = case / name
        data = path.read_bytes()
        for place in range(min(len(data), 120)):
            for bit in range(8):
                changed = bytearray(data)
                changed[place] ^= 1 << bit
                path.write_bytes(changed)
                assert signature.check(case)[1], (name, place, bit)
                with suppress(CaseError):  # also without a signature
                    assert name == sums.SIGNATURE or sums.read(case) != recorded
        path.write_bytes(data)


def test_added_missing_and_replaced_files_are_found(case, tmp_path):
    (case / "frames" / "extra.png").write_bytes(b"x")
    (case / "empty").mkdir()
    (case / "report.pdf").unlink()
    (case / "report.html").rename(tmp_path / "report.html")
    (case / "report.html").symlink_to(tmp_path / "report.html")
    assert verify(case).wrong == {
        "empty": "added",
        "frames/extra.png": "added",
        "report.html": "replaced: not a file",
        "report.pdf": "missing",
    }


def test_new_hashes_do_not_hide_a_change_from_the_signer(case, made, tmp_path):
    (case / "record.json").write_text("{}")
    sums.write(case)
    assert verify(case).wrong == {sums.SIGNATURE: "not a signature of this key"}
    other = pem(tmp_path / "other.pem")
    signature.write_signer(case, signature.private_key(other))
    sums.write(case)
    signature.sign(case, signature.private_key(other))
    assert verify(case).wrong == {}, "anyone can sign with a key of their own"
    true = public(tmp_path / "true.pem", made.parent / "key.pem")
    assert verify(made, true).wrong == {} and verify(made, true).signer
    assert list(verify(case, true).wrong) == [sums.SIGNATURE]
    (case / sums.SIGNATURE).unlink()
    assert list(verify(case, true).wrong) == [sums.SIGNATURE], "a missing signature is no valid one"


def test_lines_of_the_log_follow_one_another(case):
    path = case / log.NAME
    events = [json.loads(line)["event"] for line in path.read_text().splitlines()]
    assert events[:2] == ["began", "loaded detector"] and events[-1] == "ended" and events.count("judged") == 2
    lines = path.read_bytes().splitlines(keepends=True)
    for changed in (lines[1:], lines[:2] + lines[3:], [lines[0].replace(b"began", b"ended"), *lines[1:]]):
        path.write_bytes(b"".join(changed))
        sums.write(case)
        assert "does not follow" in verify(case).wrong[log.NAME]


@pytest.mark.parametrize("text", ["", "x", f"{'0' * 64}  ../key.pem\n", f"{'0' * 64}  /etc/passwd\n", "\udcff"])
def test_hashes_of_another_form_are_an_error_that_names_the_file(case, text):
    (case / sums.NAME).write_bytes(text.encode("utf-8", "surrogateescape"))
    if text:
        with pytest.raises(CaseError, match="SHA256SUMS: changed"):
            verify(case)
    else:
        assert "added" in verify(case).wrong.values()


def test_a_case_is_never_overwritten_and_never_half_written(made, tmp_path, monkeypatch):
    before = sorted(path.name for path in made.iterdir())
    with pytest.raises(CaseError, match="exists already"):
        predict(Predict(paths=[CLIP], case=made))
    assert sorted(path.name for path in made.iterdir()) == before
    monkeypatch.setattr("deepfake_cli.case.sums.write", lambda folder: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        predict(Predict(paths=[CLIP], every=40, case=tmp_path / "new"))
    assert list(tmp_path.iterdir()) == []


def test_unusable_keys_fail_before_the_work(tmp_path, monkeypatch):
    (tmp_path / "text.pem").write_text("no key")
    pem(tmp_path / "locked.pem", password=b"secret")
    faults = {
        "none.pem": "no such file",
        "text.pem": "not a private key",
        "locked.pem": "has a password",
        pem(tmp_path / "ec.pem", generate_private_key(SECP256R1())).name: "expected Ed25519",
    }
    for name, said in faults.items():
        with pytest.raises(CaseError, match=said):
            predict(Predict(paths=["none.mp4"], case=tmp_path / "case", sign=tmp_path / name))
    assert not (tmp_path / "case").exists()
    monkeypatch.setenv(signature.PASSWORD, "secret")
    assert signature.private_key(tmp_path / "locked.pem")
    ssh = Ed25519PrivateKey.generate()
    text = ssh.private_bytes(keys.Encoding.PEM, keys.PrivateFormat.OpenSSH, keys.NoEncryption())
    (tmp_path / "ssh").write_bytes(text)
    assert signature.private_key(tmp_path / "ssh").private_bytes_raw() == ssh.private_bytes_raw()


def test_options_that_do_not_fit_are_errors():
    for words, said in (
        ({"sign": "key.pem", "paths": ["a"]}, "sign needs case"),
        ({"signed_by": "key.pem", "paths": ["a"]}, "signed_by needs verify"),
        ({"verify": "case", "paths": ["a"]}, "run it alone"),
        *(({"verify": "case", name: "out"}, "run it alone") for name in ("report", "explain", "csv", "frames_csv")),
    ):
        with pytest.raises((DeepfakeError, ValueError), match=said):
            Predict(**words)


@pytest.mark.slow
def test_the_command_says_what_is_wrong(deepfake, case, made):
    done = deepfake("predict", "--verify", made)
    assert "files are as they were written" in done.stdout and verify(made).sha256 in done.stdout
    (case / "report.html").write_text("forged")
    done = deepfake("predict", "--verify", case, "--json", check=1)
    assert json.loads(done.stdout)["wrong"] == {"report.html": "changed"}
    assert "not as it was written: report.html" in " ".join(done.stderr.split())


@pytest.mark.slow
def test_the_example_is_made_without_a_network(tmp_path):
    """The script of docs/forensics.md, in a network namespace of its own where the system has them."""
    script = Path(__file__).parents[2] / "scripts" / "example_case.py"
    alone = ["unshare", "--map-root-user", "--net"]
    if not shutil.which("unshare") or subprocess.run([*alone, "true"], capture_output=True).returncode:
        alone = []
    command = [*alone, sys.executable, str(script), str(tmp_path / "example")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "One bit flipped in each of 48 files in turn: found in 48" in done.stdout


def test_a_name_that_is_not_unicode_is_recorded_as_it_is(tmp_path):
    """Its JSON can be read, and gives the name of the file; the case is verified."""
    name = tmp_path / os.fsdecode(b"caf\xe9.mp4")
    shutil.copyfile(CLIP, name)
    predict(Predict(paths=[name], every=60, case=tmp_path / "case"))
    assert [each["path"] for each in record_of(tmp_path / "case")["files"]] == [str(name)]
    json.loads((tmp_path / "case" / "record.jsonld").read_text())
    assert not verify(tmp_path / "case").wrong
    for file in ("SHA256SUMS.sig", "SHA256SUMS"):  # a pipe would block
        (tmp_path / "case" / file).unlink(missing_ok=True)
        os.mkfifo(tmp_path / "case" / file)
        with suppress(CaseError):
            assert "SHA256SUMS.sig" in verify(tmp_path / "case").wrong


def test_what_a_killed_process_left_is_removed(tmp_path):
    """Its frames would stay for ever; those of a process that runs stay."""
    (tmp_path / "photo.txt").touch()
    dead, alive = (f".a[b].{platform.node()}-{process}-01234567.partial" for process in (2**22 + 1, os.getpid()))
    for name in (dead, alive):
        (tmp_path / name / "frames").mkdir(parents=True)
    predict(Predict(paths=[tmp_path / "photo.txt"], case=tmp_path / "a[b]"))
    assert {path.name for path in tmp_path.iterdir()} == {"photo.txt", alive, "a[b]"}

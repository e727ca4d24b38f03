"""Where a file says it came from: Content Credentials on files signed here, marks of generators, hostile metadata."""

import csv
import http.server
import threading
import time
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.commands.predict import predict
from deepfake_cli.config import Predict
from deepfake_cli.errors import ConfigError
from deepfake_cli.media.video import FrameSource
from deepfake_cli.provenance import Provenance, provenance
from deepfake_cli.provenance.scan import STORE, scan
from tests.conftest import remuxed
from tests.provenance import signing

CLIP = FOLDER / CLIPS[0][0]
BOMB = '<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
NASTY = "=HYPERLINK(1)\x1b[31m\u202e<script>alert(1)</script>"


def origin(path: Path, trust: Path | None = None) -> Provenance:
    return provenance(path, FrameSource(path).header, trust)


def png(path: Path, **texts: str) -> Path:
    """A small PNG with text chunks."""
    info = PngImagePlugin.PngInfo()
    for name, text in texts.items():
        info.add_itxt(name, text)
    Image.new("RGB", (32, 32)).save(path, pnginfo=info)
    return path


@pytest.fixture(scope="module")
def signed(tmp_path_factory) -> dict[str, Path]:
    """The clip signed in several ways, and the roots of its signers."""
    pytest.importorskip("c2pa")
    folder = tmp_path_factory.mktemp("signed")
    ours, theirs = signing.root("Our Root"), signing.root("Another Root")
    until = time.time() + 3
    files = {
        "expired": signing.sign(CLIP, folder / "expired.mp4", ours, seconds=2),
        "valid": signing.sign(CLIP, folder / "valid.mp4", ours),
        "foreign": signing.sign(CLIP, folder / "foreign.mp4", theirs),
    }
    files["composite"] = signing.sign(
        CLIP, folder / "composite.mp4", ours, source_type=signing.COMPOSITE, ingredient=files["valid"]
    )
    data = bytearray(files["valid"].read_bytes())
    data[-20_000] ^= 1  # in the picture data
    files["tampered"] = folder / "tampered.mp4"
    files["tampered"].write_bytes(data)
    files["stripped"] = remuxed(files["valid"], folder / "stripped.mp4")
    files["ours"], files["theirs"] = folder / "ours.pem", folder / "theirs.pem"
    files["ours"].write_bytes(ours.pem)
    files["theirs"].write_bytes(theirs.pem)
    time.sleep(max(0, until - time.time()))
    return files


@pytest.mark.parametrize(
    ("name", "state", "said"),
    [
        ("valid", "trusted", "signed by a trusted signer"),
        ("foreign", "valid", "not among the trusted ones"),
        ("tampered", "invalid", "bmffHash.mismatch"),
        ("expired", "invalid", "expired"),
        ("stripped", "none", ""),
    ],
)
def test_content_credentials_are_checked(signed, name, state, said):
    found = origin(signed[name], signed["ours"]).credentials
    assert found.state == state and said in found.sentence, found
    assert bool(found.faults) == (state == "invalid")


def test_without_a_root_nobody_is_trusted(signed):
    assert origin(signed["valid"]).credentials.state == "valid"
    assert origin(signed["foreign"], signed["theirs"]).credentials.state == "trusted"


def test_who_signed_and_what_was_done_is_told(signed):
    found = origin(signed["valid"]).credentials
    assert (found.issuer, found.signer, found.generator) == ("Test Newsroom", "Test Signer", "test maker 1")
    (action,) = found.actions
    assert (action.action, action.software) == ("c2pa.created", "Generator 1")
    assert found.source_types == ["created by generative AI (trainedAlgorithmicMedia)"]
    found = origin(signed["composite"], signed["ours"]).credentials
    assert [(each.title, each.state) for each in found.ingredients] == [("valid.mp4", "valid")]
    assert any("composite" in each for each in found.source_types) and any(
        "created" in each for each in found.source_types
    )


def test_provenance_never_changes_a_verdict(signed):
    detector = Detector.load()
    verdicts = [detector.predict(signed[name], every=15) for name in ("valid", "tampered", "expired")]
    plain = detector.predict(CLIP, every=15)
    assert {(each.label, each.reason) for each in verdicts} == {(plain.label, plain.reason)}
    assert verdicts[0].score == verdicts[2].score == plain.score


def test_nothing_is_fetched(signed, tmp_path):
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_error(404)

        log_message = lambda self, *rest: None  # noqa: E731

    server = http.server.HTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        address = f"http://127.0.0.1:{server.server_port}/manifest.c2pa"
        photo = tmp_path / "photo.jpg"
        Image.new("RGB", (64, 64)).save(photo)
        there = signing.sign(photo, tmp_path / "remote.jpg", signing.root("Root"), remote=address)
        found = origin(there).credentials
    finally:
        server.shutdown()
        server.server_close()
    assert (found.state, found.remote, asked) == ("none", address, [])
    assert "were not fetched" in found.sentence


def test_without_the_extra_they_are_found_but_not_checked(signed, monkeypatch):
    monkeypatch.setattr("deepfake_cli.provenance.credentials.installed", lambda: False)
    found = origin(signed["valid"]).credentials
    assert found.state == "not checked" and "provenance" in found.sentence
    assert origin(CLIP).credentials.state == "none"
    with pytest.raises(ConfigError, match="c2pa-python"):
        Detector.load(trust=signed["ours"])


def test_trust_that_is_no_list_of_certificates_is_an_error(tmp_path):
    pytest.importorskip("c2pa")
    (tmp_path / "text.pem").write_text("x")
    for name, said in (("none.pem", "no such file"), ("text.pem", "no certificates")):
        with pytest.raises(ConfigError, match=said):
            Detector.load(trust=tmp_path / name)


@pytest.mark.parametrize("rest", [b"", b"\x00" * 100, b"\xff" * 5000, STORE * 50])
def test_damaged_content_credentials_are_unreadable_or_none(tmp_path, rest):
    pytest.importorskip("c2pa")
    for path in (png(tmp_path / "a.png"), remuxed(CLIP, tmp_path / "a.mp4")):
        path.write_bytes(path.read_bytes() + b"\x00\x00\x00\x40jumb\x00\x00\x00\x30" + STORE + rest)
        assert origin(path).credentials.state in ("unreadable", "none", "invalid")


def test_a_damaged_statement_is_a_state_and_no_error(signed, tmp_path):
    data = signed["valid"].read_bytes()
    start, states = data.index(STORE), []
    for place in range(start - 40, start + 6000, 97):
        path = tmp_path / "damaged.mp4"
        path.write_bytes(data[:place] + bytes([data[place] ^ 0xFF]) + data[place + 1 :])
        states.append(origin(path).credentials.state)
        assert states[-1] in ("invalid", "unreadable") or data[place - 8 : place + 8] == bytes(16), (
            "all but padding is signed"
        )
    assert {"invalid", "unreadable"} <= set(states)


@pytest.mark.parametrize(
    ("texts", "meaning"),
    [
        ({"parameters": "a face\nSteps: 20, Sampler: Euler a, CFG scale: 7"}, "Stable Diffusion"),
        ({"prompt": '{"3": {"class_type": "KSampler"}}'}, "ComfyUI"),
        ({"invokeai_metadata": "{}"}, "InvokeAI"),
        ({"Software": "NovelAI"}, "NovelAI"),
        ({"Description": "a face --v 6 Job ID: 0a1b2c3d-0000"}, "Midjourney"),
        ({"AIGC": '{"Label": "1"}'}, "GB 45438"),
        ({"Software": "FaceFusion 3.1"}, "names FaceFusion"),
        ({"XML:com.adobe.xmp": '<x:xmpmeta><r photoshop:Credit="Made with Google AI"/></x:xmpmeta>'}, "Google"),
        ({"XML:com.adobe.xmp": f"<x:xmpmeta><p:DigitalSourceType>{signing.GENERATED}</p:DigitalSourceType>"}, "generative AI"),
    ],
)  # fmt: skip
def test_known_marks_are_told(tmp_path, texts, meaning):
    found = origin(png(tmp_path / "marked.png", **texts))
    assert any(meaning in mark.meaning for mark in found.marks), found
    assert any(meaning in line for line in found.lines)


def test_plain_files_have_no_marks(tmp_path):
    for path in (
        png(tmp_path / "plain.png", Title="A Sora recipe", Software="GIMP"),
        *(FOLDER / name for name, _ in CLIPS),
    ):
        assert origin(path).lines == [], path


def test_xmp_is_found_across_the_edges_of_reading(tmp_path, monkeypatch):
    monkeypatch.setattr("deepfake_cli.provenance.scan.CHUNK", 64)
    for before in range(70):
        (tmp_path / "file").write_bytes(bytes(before) + b"<x:xmpmeta A='1'/></x:xmpmeta>" + bytes(50) + STORE)
        assert scan(tmp_path / "file") == (True, ["<x:xmpmeta A='1'/>"])


def test_hostile_metadata_is_bounded_and_escaped_everywhere(tmp_path):
    tags = {f"tag{number}": "x" for number in range(500)}
    remuxed(
        CLIP,
        tmp_path / "a.mp4",
        comment=NASTY,
        encoder=NASTY * 9000,
        title=NASTY,
        Software="DeepFaceLab " + NASTY,
        **tags,
    )
    xmp = f"{BOMB}<x:xmpmeta><a CreatorTool='{'&b;' * 50_000}'/><CreatorTool>{NASTY}</CreatorTool></x:xmpmeta>"
    png(tmp_path / "b.png", **{"XML:com.adobe.xmp": xmp, "parameters": "Steps: 1 Sampler " + NASTY * 5000})
    out = {name: tmp_path / name for name in ("page.html", "files.csv", "case")}
    paths = [tmp_path / "a.mp4", tmp_path / "b.png"]
    result = predict(Predict(paths=paths, every=25, report=out["page.html"], csv=out["files.csv"], case=out["case"]))
    for verdict in result:
        text = verdict.record.model_dump_json()
        assert len(text) < 60_000 and "\\u001b" not in text and "\u202e" not in text and "\x1b" not in text
    assert any("names DeepFaceLab" in line for line in result[0].record.origin_lines), result[0].record.header
    for page in (out["page.html"], out["case"] / "report.html"):
        assert "<script>" not in page.read_text() and "\x1b" not in page.read_text()
    with out["files.csv"].open(newline="") as file:
        assert not any(cell.startswith(("=", "+", "@")) for row in csv.reader(file) for cell in row)

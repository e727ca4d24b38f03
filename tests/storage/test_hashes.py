"""One hash: SHA-256. Records of earlier versions, with BLAKE2b, are still read."""

import hashlib
import json
import re
from pathlib import Path

from deepfake_cli.config import Split
from deepfake_cli.datasets import find_clips
from deepfake_cli.extraction.extract import Job, extract
from deepfake_cli.extraction.record import RECORD, key_of
from deepfake_cli.storage.hashes import former, name, same, sha256

SOURCE = Path(__file__).parents[2] / "src" / "deepfake_cli"
ONLY_HERE = SOURCE / "storage" / "hashes.py"


def test_no_other_module_uses_another_hash():
    others = re.compile(r"blake2|md5|sha1\b|sha512|sha3_", re.IGNORECASE)
    files = [path for kind in ("*.py", "*.jinja", "*.js") for path in SOURCE.rglob(kind) if path != ONLY_HERE]
    found = [path.name for path in files if others.search(path.read_text())]
    assert found == ["unrecognised.py"]  # the suffix of a file


def test_records_of_earlier_versions_are_read(tmp_path):
    path = tmp_path / "list.csv"
    path.write_text("a")
    assert sha256(path) == hashlib.sha256(b"a").hexdigest()
    former = hashlib.blake2b(b"a", digest_size=16).hexdigest()
    assert same(path, sha256(path)) and same(path, former) and not same(path, None)
    assert (name(sha256(path)), name(former)) == ("SHA-256", "BLAKE2b")
    path.write_text("b")
    assert not same(path, former) and not same(path, hashlib.sha256(b"a").hexdigest())


def test_frames_of_an_earlier_version_are_not_extracted_again(uadfv, tmp_path):
    settings = Split(adapter="uadfv", viddir=uadfv, imgdir=tmp_path / "img", size=32)
    clip = find_clips("uadfv", uadfv)[0]
    assert not extract(Job(clip, settings)).skipped
    record = next((tmp_path / "img").rglob(RECORD))
    facts = json.loads(record.read_text())
    record.write_text(json.dumps(facts | {"key": key_of(clip, settings, former)}))
    assert extract(Job(clip, settings)).skipped
    assert not extract(Job(clip, settings.model_copy(update={"size": 48}))).skipped

"""The local page, through a real server: responses, limits, and the page in a browser."""

import contextlib
import http.client
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import quote, urlsplit

import cv2
import numpy as np
import pytest
from PIL import Image

from deepfake_cli import Detector
from deepfake_cli.assets import CLIPS, FOLDER
from deepfake_cli.config import App
from deepfake_cli.config.predict import Judging
from deepfake_cli.errors import ConfigError
from deepfake_cli.media.video import frames
from tests.inference.test_predict import bomb

pytest.importorskip("starlette")
pytest.importorskip("uvicorn")

from deepfake_cli.app import jobs as work
from deepfake_cli.app import kinds, routes, uploads, visitors
from deepfake_cli.app.guard import HEADERS
from deepfake_cli.app.server import opened

CLIP, OTHER = FOLDER / CLIPS[0][0], FOLDER / CLIPS[1][0]
EVERY = 5
OCTETS = {"Content-Type": "application/octet-stream"}


@contextlib.contextmanager
def running(folder: Path, **settings):
    """Run a server on a free port, with uploads in `folder`; yields its URL."""
    before, tempfile.tempdir = tempfile.tempdir, str(folder)
    try:
        with opened(App(port=0, open=False, **settings)) as server:
            thread = threading.Thread(target=server.run)
            thread.start()
            try:
                yield server.url
            finally:
                server.stop()
                thread.join(20)
                assert not thread.is_alive()
    finally:
        tempfile.tempdir = before
    assert not list(folder.iterdir())


@pytest.fixture(scope="module")
def place(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("uploads")


@pytest.fixture(scope="module")
def url(place):
    with running(place, every=EVERY, max_mb=2, queue=3) as url:
        yield url


@pytest.fixture(scope="module")
def photo() -> bytes:
    return cv2.imencode(".jpg", next(image for _, image in frames(CLIP)))[1].tobytes()


def ask(url: str, method: str, path: str, body=None, **headers) -> tuple[int, dict[str, str], bytes]:
    line = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    with contextlib.closing(line):
        line.request(method, path, body, headers)
        answer = line.getresponse()
        return answer.status, {key.lower(): value for key, value in answer.getheaders()}, answer.read()


def send(url: str, data: bytes, name: str = "clip.mp4", **headers) -> tuple[int, dict]:
    status, _, body = ask(url, "POST", f"/jobs?name={quote(name)}", data, **headers)
    return status, json.loads(body)


def sent(url: str, data: bytes, name: str = "clip.mp4") -> str:
    status, answer = send(url, data, name)
    assert status == 201, answer
    return answer["id"]


def state(url: str, id: str) -> dict:
    return json.loads(ask(url, "GET", f"/jobs/{id}")[2])


def judged(url: str, id: str) -> dict:
    until(lambda: state(url, id)["state"] in ("done", "failed"))
    return state(url, id)


def until(condition, seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def left(place: Path) -> list[Path]:
    return [path for path in place.rglob("*") if path.is_file()]


def plain(facts: dict) -> dict:
    """Without what differs from one examination to the next, and what strangers are not told."""
    record = facts["record"]
    own = {
        "began": "",
        "ended": "",
        "machine": "",
        "libraries": "",
        "settings": record["settings"] | {"max_seconds": 0},
    }
    file = record["file"] | {"modified": ""}
    return {**facts, "path": "", "seconds": 0, "record": record | own | {"file": file}}


def test_concurrent_uploads_equal_the_library(url, place):
    ids = [sent(url, path.read_bytes(), path.name) for path in (CLIP, OTHER)]
    assert len(left(place)) == 2
    for id, path in zip(ids, (CLIP, OTHER), strict=True):
        job = judged(url, id)
        assert job["name"] == job["verdict"]["path"] == path.name
        verdict = Detector.load().predict(path, every=EVERY)
        exact = {"score": verdict.score, "low": verdict.faces[0].low, "high": verdict.faces[0].high}
        assert plain(job["verdict"]) == plain(json.loads(json.dumps(verdict.facts() | exact)))
        assert job["verdict"]["record"]["machine"]["name"] == "", "the visitor may be anyone"
        assert job["done"] == job["total"] == len(job["verdict"]["faces"][0]["frames"])
        report = ask(url, "GET", f"/jobs/{id}/report")[2].decode()
        highest = max(job["verdict"]["faces"][0]["scores"])
        shown = map(float, re.findall(r"<strong>(0\.\d{3})</strong>", report))
        assert min(abs(each - highest) for each in shown) < 0.001 and "highest scores" in report
        assert (
            2 * report.count("<figcaption><label")
            == report.count('alt="The face') + report.count('alt="Heat map')
            == 12
        )
        assert report.count('<figure class="still">') == job["total"]  # each moment with its frame
        assert not re.search(r"(?:src|href)=\"(?!data:|#)|url\(|<script", report)
    assert not left(place)


def bad_uploads(photo: bytes, folder: Path) -> dict[str, tuple[bytes, str]]:
    """Rejected contents, and a part of the message for each."""
    bomb(folder / "bomb.png")
    tall = folder / "tall.png"
    assert cv2.imwrite(str(tall), np.zeros((70_000, 1_000), np.uint8))
    secret = folder / "secret.mp4"
    shutil.copyfile(CLIP, secret)
    return {
        "empty": (b"", "empty"),
        "text": (b"this is no video", "Not a readable video or image"),
        "page": (b"<html><script>alert(1)</script></html>", "Not a readable video or image"),
        "drawing": (b"<svg xmlns='http://www.w3.org/2000/svg' width='9' height='9'/>", "Not a readable video or image"),
        "archive": (b"PK\x03\x04" + bytes(500), "Not a readable video or image"),
        "tail of a clip": (CLIP.read_bytes()[20_000:], "Not a readable video or image"),
        "bomb": ((folder / "bomb.png").read_bytes(), "too large"),
        "large image": (tall.read_bytes(), "1,000 x 70,000 pixels"),
        "playlist of another file": (
            f"#EXTM3U\n#EXTINF:3,\n{secret}\n#EXT-X-ENDLIST\n".encode(),
            "Not a readable video or image",
        ),
        "list of other files": (f"ffconcat version 1.0\nfile '{secret}'\n".encode(), "Not a readable video or image"),
    }


def test_other_formats_are_rejected(url, place, photo, tmp_path):
    for kind, (data, words) in bad_uploads(photo, tmp_path).items():
        for name in ("clip.mp4", "photo.png"):
            status, answer = send(url, data, name)
            assert status == 415 and words in answer["error"], (kind, answer)
            assert str(place) not in answer["error"]
    assert not left(place)


def test_a_file_is_known_by_its_content_not_its_name(url, photo):
    assert judged(url, sent(url, photo, "clip.mp4"))["verdict"]["frames"] == 1
    assert judged(url, sent(url, CLIP.read_bytes(), "photo.jpg"))["verdict"]["frames"] == 75 / EVERY


def test_large_upload_is_rejected_early(url, place):
    most = 2_000_000
    status, _, body = ask(url, "POST", "/jobs", None, **{"Content-Length": str(most + 1)})  # and not a byte follows
    assert status == 413 and "limit is 2 MB" in json.loads(body)["error"]
    arrived = 0

    def endless():  # without a content length
        nonlocal arrived
        while arrived < 100 * most:
            arrived += 10_000
            yield bytes(10_000)

    with contextlib.suppress(BrokenPipeError, ConnectionResetError):  # the server may close the connection first
        assert ask(url, "POST", "/jobs", endless())[0] == 413
    assert most < arrived < 20 * most
    until(lambda: not left(place))


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("../../../etc/passwd", "passwd"),
        ("..\\..\\boot.ini", "boot.ini"),
        ("/tmp/x/", "file"),
        ("a\x00b\nc\u202e.mp4", "abc.mp4"),
        ("<script>alert(1)<script>.mp4", "<script>alert(1)<script>.mp4"),
        ("x" * 500 + ".mp4", "x" * (routes.NAME - 4) + ".mp4"),
    ],
)
def test_file_names_are_for_display_only(url, place, photo, name, shown):
    before = set(place.rglob("*"))
    id = sent(url, photo, name)
    assert judged(url, id)["name"] == shown
    assert set(place.rglob("*")) == before
    status, headers, page = ask(url, "GET", f"/jobs/{id}/report?download")
    assert status == 200 and b"<script>alert" not in page
    assert headers["content-disposition"].startswith("attachment; filename*=UTF-8''")
    assert not set("<>/\\\"' ") & set(headers["content-disposition"].partition("''")[2])


def test_other_sites_are_rejected(url, photo):
    host = urlsplit(url).netloc
    port = urlsplit(url).port
    assert ask(url, "GET", "/", Host=f"localhost:{port}")[0] == ask(url, "GET", "/", Host=host)[0] == 200
    for name in (
        "evil.example",
        f"evil.example:{port}",
        f"127.0.0.1.evil.example:{port}",
        "",
        "[::1.evil",
        f"localhost:{port}@evil.com",
        f"[::1]evil.com:{port}",
    ):
        assert ask(url, "GET", "/", Host=name)[0] == 403, name
    assert send(url, photo, Origin=url)[0] == 201
    id = sent(url, photo)
    assert judged(url, id)["state"] == "done"  # a visitor has two places
    for origin in (
        "https://evil.example",
        "null",
        "",
        f"http://localhost:{port}",
        f"http://evil.example/{host}",
        f"https://{host}",  # another site, with the same address
        f"ftp://{host}",
        f"://{host}",
        host,
    ):
        assert send(url, photo, Origin=origin)[0] == 403, origin
        assert ask(url, "DELETE", f"/jobs/{id}", Origin=origin)[0] == 403
    for site in ("cross-site", "same-site", "unheard-of"):  # from a browser that sends no Origin
        assert send(url, photo, **{"Sec-Fetch-Site": site})[0] == 403, site
        assert send(url, photo, Origin=url, **{"Sec-Fetch-Site": site})[0] == 403, site
    status, answer = send(url, photo, **{"Sec-Fetch-Site": "same-origin"})
    assert status == 201 and judged(url, answer["id"])["state"] == "done"
    proxied = {"Origin": f"https://{host}", "Sec-Fetch-Site": "same-origin"}  # a proxy speaks HTTPS
    assert judged(url, json.loads(ask(url, "POST", "/jobs", photo, **proxied)[2])["id"])["state"] == "done"


def test_photograph_with_several_images_is_judged(url, tmp_path, people):
    images = [Image.fromarray(image[..., ::-1]) for image in people["man_a"][:2]]
    images[0].save(tmp_path / "camera.jpg", "MPO", save_all=True, append_images=images[1:])
    for _ in range(4):  # more than the queue has places: each is free again
        assert judged(url, sent(url, (tmp_path / "camera.jpg").read_bytes()))["state"] == "done"


@pytest.mark.parametrize("fault", [KeyError("x"), RuntimeError("x")])
def test_unforeseen_errors_free_the_place_and_the_file(url, place, photo, monkeypatch, fault):
    def fail(path):
        raise fault

    monkeypatch.setattr(routes.kinds, "settle", fail)
    for _ in range(4):
        status, answer = send(url, photo)
        assert status == 500 and answer["error"]
    monkeypatch.undo()
    assert not left(place)
    assert judged(url, sent(url, photo))["state"] == "done"


def test_every_response_has_security_headers(url, photo):
    id = sent(url, photo)
    judged(url, id)
    for path in ("/", "/app.css", "/app.js", f"/jobs/{id}", f"/jobs/{id}/report", "/jobs/none", "/nothing", "/jobs"):
        _, headers, _ = ask(url, "GET", path)
        own = {"content-security-policy"} if path.endswith("/report") else set()
        assert all(headers[key.lower()] == value for key, value in HEADERS.items() if key.lower() not in own), path
        assert (
            "access-control-allow-origin" not in headers and "default-src 'none'" in headers["content-security-policy"]
        )
    assert "sandbox" in ask(url, "GET", f"/jobs/{id}/report")[1]["content-security-policy"]


HEAD = b"POST /jobs HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1000000\r\n\r\n"


def connected(url: str, source: str = "127.0.0.1", text: bytes = HEAD + b"abc") -> socket.socket:
    """An open connection from an address of this machine."""
    if source != "127.0.0.1" and sys.platform != "linux":
        pytest.skip("this system has one address for itself")
    line = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), 10, (source, 0))
    line.sendall(text)
    return line


def status(line: socket.socket) -> int:
    return int(line.makefile("rb").readline().split()[1])


def test_full_queue_rejects_and_abandoned_jobs_free_it(url, place, photo):
    stalled = [connected(url, source) for source in ("127.0.0.2", "127.0.0.2", "127.0.0.3")]
    until(lambda: len(left(place)) == 3)
    refused, answer = send(url, photo)
    assert refused == 503 and "queue is full" in answer["error"]
    for line in stalled:
        line.close()
    until(lambda: not left(place))
    assert judged(url, sent(url, photo))["state"] == "done"


def test_one_visitor_leaves_places_for_others(url, place, photo):
    trickling = [connected(url, "127.0.0.2") for _ in range(20)]
    until(lambda: len(left(place)) == 2)  # of 3
    until(lambda: sum(1 for line in trickling if answered(line)) == 18)
    assert {status(line) for line in trickling if answered(line)} == {503}
    assert judged(url, sent(url, photo))["state"] == "done"  # from 127.0.0.1
    for line in trickling:
        line.close()
    until(lambda: not left(place))
    with connected(url, "127.0.0.2") as line:  # its places are free again
        until(lambda: len(left(place)) == 1)
        assert not answered(line)
    until(lambda: not left(place))


def test_slow_uploads_give_way(url, place, photo, monkeypatch):
    """Also those of the same address, as all are behind a proxy."""
    trickling = [connected(url) for _ in range(2)]
    until(lambda: len(left(place)) == 2)
    assert send(url, photo)[0] == 503
    monkeypatch.setattr(work, "SLOW", 0.1)
    time.sleep(0.2)
    assert judged(url, sent(url, photo))["state"] == "done"
    for line in trickling:
        line.sendall(b"abc")
    until(lambda: any(map(answered, trickling)))
    assert [status(line) for line in trickling if answered(line)] == [408]
    for line in trickling:
        line.close()
    until(lambda: not left(place))


def test_complete_uploads_never_give_way(tmp_path, monkeypatch):
    monkeypatch.setattr(work, "SLOW", -1)
    jobs = work.Jobs(lambda job, progress: work.Result({}, ""), tmp_path, workers=0, most=4, keep=60, longest=60)
    complete, slow, waiting = jobs.open("a", "x"), jobs.open("b", "y"), jobs.open("c", "z")
    complete.received = float("inf")
    jobs.enter(waiting)
    jobs.open("d", "w").received = 10**9
    jobs.open("e", "v")
    assert slow.dropped and not complete.dropped and not waiting.dropped
    jobs.close()


def answered(line: socket.socket) -> bool:
    return bool(select.select([line], [], [], 0)[0])


def test_connections_of_one_visitor_leave_room_for_others(url):
    idle = [connected(url, "127.0.0.2", b"GET / HTTP/1.1\r\n") for _ in range(200)]
    until(lambda: sum(not answered(line) for line in idle) == visitors.CONNECTIONS)
    assert ask(url, "GET", "/")[0] == 200
    for line in idle:
        line.close()


@pytest.mark.parametrize("text", [b"", b"GET / HTTP/1.1\r\nHost: ", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\nG"])
def test_request_that_does_not_arrive_is_given_up(url, monkeypatch, text):
    monkeypatch.setattr(visitors, "TIMEOUT", 0.3)
    with connected(url, text=text) as line, contextlib.suppress(ConnectionResetError):
        while line.recv(2**16):
            pass


@pytest.mark.parametrize(("address", "whose"), [
    ("192.0.2.7", "192.0.2.7"), ("::ffff:192.0.2.7", "192.0.2.7"), ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
    ("fe80::1%eth0", "fe80::/64"), ("", ""),
])  # fmt: skip
def test_a_visitor_is_an_address_or_its_network(address, whose):
    assert visitors.visitor(address) == whose


def trickle(url: str, every: float, size: int) -> int:
    """Send `size` bytes every `every` seconds, until the server answers; return its status."""
    with connected(url) as line:
        for _ in range(200):
            if answered(line):
                return status(line)
            line.sendall(bytes(size))
            time.sleep(every)
    raise AssertionError("no answer")


@pytest.mark.parametrize(("limits", "size"), [
    ({"TIMEOUT": 0.2, "LEAST_RATE": 10_000}, 100),  # 5 kB/s
    ({"LEAST_RATE": 1, "LONGEST": 0.2}, 100),
])  # fmt: skip
def test_slow_uploads_are_given_up(url, place, monkeypatch, limits, size):
    for name, value in limits.items():
        monkeypatch.setattr(routes, name, value)
    started = time.monotonic()
    assert trickle(url, 0.02, size) == 408
    assert 0.2 < time.monotonic() - started < 3
    until(lambda: not left(place))


def test_paused_uploads_are_given_up(url, place, monkeypatch):
    monkeypatch.setattr(routes, "TIMEOUT", 0.2)
    with connected(url) as line:
        assert status(line) == 408
    until(lambda: not left(place))


def test_upload_at_the_least_rate_is_judged(url, photo, monkeypatch):
    monkeypatch.setattr(routes, "TIMEOUT", 0.2)
    monkeypatch.setattr(routes, "LEAST_RATE", 100)

    def slowly():
        for start in range(0, len(photo), 1 + len(photo) // 10):
            time.sleep(0.05)
            yield photo[start : start + 1 + len(photo) // 10]

    answer, _, body = ask(url, "POST", "/jobs", slowly(), **OCTETS)
    assert answer == 201 and judged(url, json.loads(body)["id"])["state"] == "done"


@pytest.fixture(scope="module")
def endless(tmp_path_factory) -> bytes:
    """A GIF of few bytes with many large frames."""
    path = tmp_path_factory.mktemp("endless") / "endless.gif"
    images = [Image.fromarray(np.full((2000, 2000), value, np.uint8)) for value in (0, 255) * 30]
    images[0].save(path, save_all=True, append_images=images[1:], duration=40)
    return path.read_bytes()


@pytest.mark.slow
def test_endless_file_gets_a_verdict_on_what_was_seen(tmp_path, endless):
    with running(tmp_path, max_seconds=0.5) as url:
        job = judged(url, sent(url, endless))
        assert job["state"] == "done" and 0 < job["verdict"]["frames"] < 60
        said = "; ".join([job["verdict"]["reason"], *job["verdict"]["notes"]])
        assert f"stopped after 0.5 s: only the first {job['verdict']['frames']}" in said
    assert App().max_seconds == 120 < 60 * App().max_minutes < Judging().max_seconds


def test_cancelled_job_is_deleted(url, place):
    id = sent(url, CLIP.read_bytes())
    assert ask(url, "DELETE", f"/jobs/{id}")[0] == 204
    for path in (f"/jobs/{id}", f"/jobs/{id}/report"):
        assert ask(url, "GET", path)[0] == 404
    until(lambda: not left(place))


def test_progress_and_time_limit_without_a_face(tmp_path, monkeypatch):
    from tests.conftest import write_video

    monkeypatch.setattr(routes, "SWEEP", 0.1)
    grey = [np.full((240, 320, 3), 90 + number % 9, np.uint8) for number in range(400)]
    data = write_video(tmp_path / "grey.mp4", grey).read_bytes()
    (tmp_path / "uploads").mkdir()
    with running(tmp_path / "uploads", max_minutes=0.005, keep=0.02) as url:
        id = sent(url, data)
        until(lambda: state(url, id)["done"] > 0)
        job = judged(url, id)
        assert job["state"] == "failed" and "0.005 minutes" in job["error"] and 0 < job["done"] < 400
        until(lambda: ask(url, "GET", f"/jobs/{id}")[0] == 404, 10)  # and the result is forgotten


@pytest.mark.slow
@pytest.mark.parametrize("runtime", ["onnx", "openvino"])
def test_detector_is_thread_safe(runtime):
    pytest.importorskip({"onnx": "onnxruntime"}.get(runtime, runtime))
    network = Detector.load(runtime=runtime).network
    size = network.traits.image_size
    crops = np.random.default_rng(0).integers(0, 256, (4, 2, size, size, 3), dtype=np.uint8)
    alone = [network.scores(each).tolist() for each in crops]
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            assert [each.tolist() for each in threads.map(network.scores, crops)] == alone


def test_jobs_keep_their_order_and_expire(tmp_path, caplog):
    turn, order = threading.Semaphore(0), []

    def judge(job, progress):
        turn.acquire()
        order.append(job.name)
        return work.Result({}, str(1 / int(job.name)))  # a fault of the program in the first

    jobs = work.Jobs(judge, tmp_path, workers=1, most=5, keep=60, longest=60)
    all_five = [jobs.open(str(number), str(number % 2)) for number in range(5)]
    with pytest.raises(work.Full, match="queue is full"):
        jobs.open("more", "2")
    for job in all_five:
        job.file.write_bytes(b"x")
        jobs.enter(job)
    until(lambda: all_five[0].state == "judging")
    assert [jobs.before(job) for job in all_five] == [0, 0, 1, 2, 3]
    all_five[2].asked -= work.GONE + 1  # its visitor has left
    jobs.sweep()
    assert jobs.get(all_five[2].id) is None and not all_five[2].file.exists() and jobs.before(all_five[3]) == 1
    jobs.drop(all_five[1])
    turn.release(3)
    until(lambda: all_five[4].finished)
    assert order == ["0", "3", "4"] and not left(tmp_path)
    assert all_five[0].state == "failed" and "Internal error" in all_five[0].error
    assert "ZeroDivisionError" in caplog.text and all_five[4].result.page == "0.25"
    all_five[3].asked -= 61
    jobs.sweep()
    assert jobs.get(all_five[3].id) is None and jobs.get(all_five[4].id) is all_five[4]
    jobs.close()
    assert jobs.get(all_five[4].id) is None


def test_upload_that_cannot_be_deleted_stops_nothing(tmp_path, caplog):
    jobs = work.Jobs(lambda job, progress: work.Result({}, ""), tmp_path, workers=1, most=9, keep=60, longest=60)
    for number in range(2):
        job = jobs.open(str(number), "")
        job.file.mkdir()  # as a folder without permission, or an open file on Windows
        (job.file / "x").touch()
        jobs.enter(job)
        until(lambda job=job: job.finished)
        assert job.state == "done"
    waiting = jobs.open("2", "")
    waiting.file.mkdir()
    jobs.drop(waiting)
    assert caplog.text.count("Failed to delete an upload") == 3
    jobs.close()


def test_sweeper_survives_a_fault(tmp_path, monkeypatch, photo):
    monkeypatch.setattr(routes, "SWEEP", 0.05)
    sweep, calls = work.Jobs.sweep, []

    def fail_once(jobs):
        calls.append(1)
        if len(calls) == 1:
            raise RuntimeError
        sweep(jobs)

    monkeypatch.setattr(work.Jobs, "sweep", fail_once)
    with running(tmp_path, keep=0.001) as url:
        id = sent(url, photo)
        until(lambda: ask(url, "GET", f"/jobs/{id}")[0] == 404)


def start(folder: Path, *options: str) -> tuple[subprocess.Popen, str]:
    """The command, in a process of its own, and where its page is."""
    environment = {key: value for key, value in os.environ.items() if key != "CI"}  # where no telemetry is sent anyway
    process = subprocess.Popen(
        [sys.executable, "-m", "deepfake_cli", "app", "--no-open", "--port", "0", *options],
        env=environment | {"TMPDIR": str(folder)}, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    for line in process.stdout:
        if line.startswith("http://"):
            return process, line.split()[0]
    raise AssertionError(process.stderr.read())


def stop(process: subprocess.Popen, way: signal.Signals, status: int) -> None:
    process.send_signal(way)
    _, errors = process.communicate(timeout=20)
    assert process.returncode == status and not errors


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
@pytest.mark.parametrize(("way", "status"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_stopped_server_leaves_no_files(tmp_path, way, status):
    process, url = start(tmp_path)
    sent(url, CLIP.read_bytes())
    with socket.create_connection((urlsplit(url).hostname, urlsplit(url).port)) as line:
        line.sendall(HEAD + b"abc")
        until(lambda: len(left(tmp_path)) == 2)
        stop(process, way, status)
    assert not list(tmp_path.iterdir())  # nor of ONNX Runtime's telemetry, which notes its session there


@pytest.mark.skipif(sys.platform == "win32", reason="needs signals")
def test_next_server_removes_files_of_a_killed_one(tmp_path, monkeypatch):
    process, url = start(tmp_path, "--host", "0.0.0.0")
    sent(url, CLIP.read_bytes())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    strange = tmp_path / f"{uploads.PREFIX}of-another-kind"
    strange.mkdir()
    with uploads.folder() as mine:
        assert len(left(tmp_path)) == 1 and (mine.stat().st_mode & 0o777) == 0o700  # the living keep theirs
        process.kill()
        assert "anyone on the network" in process.communicate(timeout=20)[1]
        assert left(tmp_path)
        with uploads.folder():
            assert not left(tmp_path) and mine.is_dir()
    assert list(tmp_path.iterdir()) == [strange]


def test_failed_start_names_the_fix(tmp_path, monkeypatch, deepfake):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        stderr = deepfake("app", "--no-open", "--port", str(port), check=1).stderr
        assert f"Port {port} of 127.0.0.1 is in use" in stderr and "--port 0" in stderr
    with pytest.raises(ConfigError, match="not an address of this machine"), opened(App(host="203.0.113.7", port=0)):
        pass
    monkeypatch.setitem(sys.modules, "uvicorn", None)
    with pytest.raises(ConfigError, match=r"needs uvicorn.*pip install '\S*\[app\]'"), opened(App(port=0)):
        pass


@pytest.mark.slow
def test_drop_a_clip_in_a_browser(url, place, browser, tmp_path):
    faults, asked = [], []
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.on("console", lambda message: faults.append(message.text))
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(url)
    page.keyboard.press("Tab")
    assert page.locator("#file").evaluate("element => element === document.activeElement")
    script = tmp_path / "<img src=x onerror=alert(1)>.mp4"
    shutil.copyfile(CLIP, script)
    page.set_input_files("#file", script)
    page.wait_for_selector("#verdict:visible", timeout=30_000)
    verdict = Detector.load().predict(CLIP, every=EVERY)
    assert page.inner_text("#verdict") == f"Probably {verdict.label}"
    assert f"{verdict.score:.3f}" in page.inner_text("#figures")
    assert page.inner_text("#done .name") == script.name
    assert page.locator("#verdict").evaluate("element => element === document.activeElement")
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    undecided = [float(page.locator("#between").get_attribute(name).rstrip("%")) for name in ("x", "width")]
    assert undecided == pytest.approx([100 * verdict.real_below, 100 * (verdict.threshold - verdict.real_below)])
    report = page.frame_locator("#report").locator("body")
    report.wait_for()
    assert (
        report.locator(".player input").count() == len(verdict.faces[0].timeline)
        and "highest scores" in report.inner_text()
    )
    until(
        lambda: page.locator("#report").evaluate("frame => frame.clientHeight") > 1_000
    )  # all of it, without a scroll bar
    with page.expect_download() as download:
        page.click("#save")
    assert download.value.suggested_filename.endswith("-deepfake-report.html")
    picture = page.screenshot(path=tmp_path / "verdict.png", full_page=True)
    assert cv2.imdecode(np.frombuffer(picture, np.uint8), cv2.IMREAD_COLOR).std() > 5
    page.reload()
    page.wait_for_selector("#verdict:visible")  # the result can be seen again
    assert page.locator(".file .name").inner_text() == script.name
    assert not faults and all(each.startswith((url, "data:")) for each in asked)
    page.set_input_files("#file", [{"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no video"}])
    page.get_by_text("Not a readable video or image").wait_for()
    page.set_input_files("#file", [{"name": "film.mp4", "mimeType": "video/mp4", "buffer": bytes(2_100_000)}])
    page.get_by_text("limit is 2 MB").wait_for()
    page.click("#clear")
    page.wait_for_selector("#queue", state="hidden")
    page.close()
    assert not left(place)


@pytest.mark.slow
def test_many_files_are_judged_one_after_another(url, place, browser, photo):
    """More than the server has places for; a folder; an image from the clipboard."""
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(url)
    page.set_input_files("#file", [{"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": photo} for n in range(5)])
    assert page.locator(".file").count() == page.locator(".file progress").count() == 5
    page.get_by_text("5 of 5 judged").wait_for()
    names = page.locator("#files .name").all_inner_texts()
    assert names == [f"{n}.jpg" for n in range(5)]
    assert page.inner_text("#done .name") in names
    page.get_by_role("button", name="Show 3.jpg").click()
    assert page.inner_text("#done .name") == "3.jpg"
    page.get_by_role("button", name="Remove 3.jpg").click()
    assert page.locator(".file").count() == 4 and page.locator("#done").is_hidden()
    page.evaluate(PASTE, list(photo))
    page.get_by_text("5 of 5 judged").wait_for()
    assert page.locator("#files .name").last.inner_text() == "pasted image 1.png"
    page.click("#clear")
    page.close()
    assert not left(place)


PASTE = """bytes => {
  const data = new DataTransfer();
  data.items.add(new File([new Uint8Array(bytes)], "image.png", { type: "image/png" }));
  document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true }));
}"""


def test_a_folder_is_judged_whole_and_says_what_it_leaves_out(url, browser, photo, tmp_path):
    (tmp_path / "holiday" / "beach").mkdir(parents=True)
    for name in ("10.jpg", "2.jpg", "beach/1.jpg"):
        (tmp_path / "holiday" / name).write_bytes(photo)
    (tmp_path / "holiday" / "notes.txt").write_text("no image")
    (tmp_path / "holiday" / ".DS_Store").write_bytes(b"x")
    page = browser.new_page()
    page.goto(url)
    page.set_input_files("#folder", tmp_path / "holiday")
    page.get_by_text("3 of 3 judged").wait_for()
    assert page.locator("#files .name").all_inner_texts() == [
        f"holiday/{name}" for name in ("2.jpg", "10.jpg", "beach/1.jpg")
    ]
    assert page.inner_text("#left-out") == "Left out: 1 file that is no video or image, such as notes.txt."
    page.click("#clear")
    page.close()


@pytest.mark.parametrize(
    ("container", "codec"),
    [
        ("mp4", "libx264"), ("mov", "mpeg4"), ("3gp", "mpeg4"), ("matroska", "libx264"), ("webm", "libvpx"), ("avi", "mjpeg"),
        ("asf", "wmv2"), ("flv", "flv1"), ("mpegts", "mpeg2video"), ("mpeg", "mpeg1video"), ("mpeg1video", "mpeg1video"),
        ("ogg", "libvpx"), ("mxf", "mpeg2video"), ("yuv4mpegpipe", "rawvideo"), ("gif", "gif"),
    ],
)  # fmt: skip
def test_every_container_is_detected_by_content(tmp_path, container, codec):
    import av

    path = tmp_path / "upload"
    try:
        with av.open(str(path), "w", format=container) as file:
            stream = file.add_stream(codec, rate=25)
            stream.width, stream.height = 352, 288
            stream.pix_fmt = {"mjpeg": "yuvj420p", "gif": "rgb8"}.get(codec, "yuv420p")
            for number in range(8):
                picture = av.VideoFrame.from_ndarray(np.full((288, 352, 3), 20 * number, np.uint8), format="rgb24")
                file.mux(stream.encode(picture))
            file.mux(stream.encode())
    except (av.codec.codec.UnknownCodecError, ValueError):
        pytest.skip(f"this FFmpeg can't write {codec}")
    assert kinds.settle(path) == path
    assert sum(image is not None for _, image in frames(path)) == 8

"""Tiny real data sets, cut from the clips in the package; and the stand-ins in ../shared, if present."""

import gc
import json
import os
import shutil
from pathlib import Path

import cv2
import numpy as np
import pytest

from deepfake_cli.__main__ import YOUNG
from deepfake_cli.assets import CLIPS, FOLDER
from tests import processes

gc.set_threshold(YOUNG)  # as the command does
os.environ.setdefault("TF_XLA_FLAGS", "--tf_xla_persistent_cache_directory=")  # keep nothing in the user's cache
FULL_DISK = (
    "trap '' XFSZ; export PYTHONDONTWRITEBYTECODE=1; ulimit -f"  # in a shell, with blocks; no module is cut short
)
SHARED = Path(__file__).parents[2] / "shared" / "media"


def write_video(path: Path, images, fps: float = 25.0, fourcc: str = "mp4v") -> Path:
    """Write uint8 BGR images as a video; its suffix chooses the container."""
    path.parent.mkdir(parents=True, exist_ok=True)
    images = list(images)
    height, width = images[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*fourcc), fps, (width, height))
    assert writer.isOpened()
    for image in images:
        writer.write(image)
    writer.release()
    return path


def remuxed(source: Path, target: Path, **tags: str) -> Path:
    """The same stream in a new container."""
    import av

    with av.open(str(source)) as old, av.open(str(target), "w", options={"movflags": "use_metadata_tags"}) as new:
        stream = new.add_stream_from_template(old.streams.video[0])
        new.metadata.update(tags)
        for packet in old.demux(old.streams.video[0]):
            if packet.dts is not None:
                packet.stream = stream
                new.mux(packet)
    return target


def sample_frames(name: str, count: int) -> list[np.ndarray]:
    """The first frames of a clip in the package."""
    capture = cv2.VideoCapture(str(FOLDER / name))
    return [capture.read()[1] for _ in range(count)]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run slow tests first, to balance the workers."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


def pytest_collection_finish() -> None:
    """Take what the test modules loaded out of the garbage collector's sight: it stays to the end."""
    gc.freeze()


@pytest.fixture(scope="session")
def people() -> dict[str, list[np.ndarray]]:
    """Eight frames of each person in the samples."""
    return {person: sample_frames(name, 8) for name, person in CLIPS}


@pytest.fixture(scope="session")
def uadfv(tmp_path_factory, people) -> Path:
    """Layout of UADFV: six numbers, with a real and a blurred fake each; two numbers per person."""
    root = tmp_path_factory.mktemp("uadfv")
    for number, images in enumerate([*people.values(), *people.values()]):
        write_video(root / "real" / f"{number:04d}.mp4", images)
        write_video(root / "fake" / f"{number:04d}_fake.mp4", [cv2.GaussianBlur(image, (9, 9), 0) for image in images])
    return root


@pytest.fixture(scope="session")
def timit(tmp_path_factory, people) -> tuple[Path, Path]:
    """Layouts of DeepfakeTIMIT and VidTIMIT: two pairs, one sentence, both qualities, and their irregularities."""
    root = tmp_path_factory.mktemp("timit")
    fakes, reals = root / "DeepfakeTIMIT", root / "VidTIMIT"
    images = [*people.values(), *people.values()]
    pairs = [("fadg0", "fram1"), ("fram1", "fadg0"), ("mccs0", "mmdm2"), ("mmdm2", "mccs0")]
    for (speaker, partner), frames in zip(pairs, images, strict=False):
        for quality in ("higher_quality", "lower_quality"):
            write_video(fakes / quality / speaker / f"sa1-video-{partner}.avi", frames, fourcc="MJPG")
            (fakes / quality / speaker / "sa1.wav").write_bytes(b"RIFF")
        for sentence in ("sa1", "head"):
            folder = reals / speaker / "video" / sentence
            folder.mkdir(parents=True)
            for index, image in enumerate(frames, 1):
                (folder / f"{index:03d}").write_bytes(cv2.imencode(".jpg", image)[1].tobytes())
    (fakes / "README.txt").write_text("read me")
    (fakes / "sample.mov").write_bytes(b"")
    return fakes, reals


@pytest.fixture(scope="session")
def stand_ins() -> Path:
    """The stand-in data sets; tests that need them are skipped without them."""
    if not SHARED.is_dir():
        pytest.skip("needs ../shared")
    return SHARED / "datasets"


@pytest.fixture(scope="session")
def chromium() -> str:
    """The browser's program. Without one a test is skipped; where CI is set, it fails: .ci/run installs one."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if program := shutil.which(name):
            return program
    return (pytest.fail if os.environ.get("CI") else pytest.skip)("needs Chromium: apt-get install chromium")


@pytest.fixture(scope="module")
def browser(chromium):
    """Headless Chromium, where there is one that starts."""
    sync_api = pytest.importorskip("playwright.sync_api")
    with sync_api.sync_playwright() as play:
        try:
            found = play.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        except sync_api.Error as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(f"Chromium does not start: {str(error)[:200]}")
        yield found
        found.close()


@pytest.fixture
def deepfake(tmp_path):
    """Run the real command in an empty folder: ``deepfake("split", "uadfv", …) -> CompletedProcess``; see `processes`."""
    return lambda *arguments, cwd=tmp_path, **options: processes.run(*arguments, cwd=cwd, **options)


@pytest.fixture
def json_of(deepfake):
    """Run a command with ``--json`` and return its output."""
    return lambda *arguments, **options: json.loads(deepfake(*arguments, "--json", **options).stdout)


@pytest.fixture(scope="session")
def frames_of_uadfv(tmp_path_factory, uadfv) -> Path:
    """The face crops of the small UADFV, with a manifest."""
    out = tmp_path_factory.mktemp("frames") / "img"
    processes.run("split", "uadfv", "--viddir", uadfv, "--imgdir", out, "--size", 96, cwd=out.parent)
    return out


@pytest.fixture(scope="session")
def s3():
    """An S3 server, one a process, since clients keep its address; with a bucket, ``s3://media``.

    The environment says where it is, as it would for the store's own tools.
    """
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    boto3 = pytest.importorskip("boto3")
    server.start()
    host, port = server.get_host_and_port()
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "x",
            "AWS_SECRET_ACCESS_KEY": "x",
            "AWS_DEFAULT_REGION": "us-east-1",
        }.items():
            patch.setenv(name, value)
        client = boto3.client("s3")
        client.create_bucket(Bucket="media")
        yield client
    server.stop()


def bucket(s3, prefix: str) -> dict[str, bytes]:
    """Stored objects below a prefix, by relative name."""
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket="media", Prefix=f"{prefix}/")
    keys = [each["Key"] for page in pages for each in page.get("Contents", [])]
    return {key[len(prefix) + 1 :]: s3.get_object(Bucket="media", Key=key)["Body"].read() for key in keys}


def tree(folder: Path) -> dict[str, bytes]:
    """All files below a folder, with their content."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


def truncate(source: Path, target: Path, share: float) -> Path:
    """Copy the first `share` of a file."""
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
    with target.open("r+b") as file:
        file.truncate(int(source.stat().st_size * share))
    return target

"""Run ``deepfake`` as a process: forked from a warm one, or fresh.

`python -m deepfake_cli` spends most of a short command's time on loading TensorFlow, pandas and SciPy. `start` and `run`
therefore fork the command from a server that has loaded these libraries and drawn one plot, since Matplotlib looks for its
fonts once, and has done nothing else with them: no operation, no session, no thread pool of its own. The package is loaded there
too, but for its command line, so each child reads its own arguments, environment, folder and streams, and ends as any process
does. A command runs in a fresh process if

- `fresh` says so: tests of what is loaded, and one of each command (tests/test_processes.py);
- the call sets a variable that a library may read while it loads;
- it is verbose, which lets TensorFlow print what it does while it loads;
- the system is not Linux.

A `split` that doesn't say in how many processes it reads videos does so in its own.
"""

import atexit
import contextlib
import ctypes
import errno
import gc
import importlib
import io
import json
import os
import re
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import warnings
from pathlib import Path
from subprocess import DEVNULL, PIPE
from typing import IO

LOADED = (
    "typer", "typer.rich_utils", "rich.progress", "rich.table", "pydantic", "jinja2", "filelock", "psutil", "threadpoolctl",
    "numpy.testing", "cv2", "av", "PIL.Image", "pandas", "pyarrow.parquet", "matplotlib.pyplot", "imagehash", "h5py",
    "scipy.stats", "scipy.optimize", "sklearn.metrics", "sklearn.linear_model", "sklearn.isotonic", "sklearn.ensemble",
    "sklearn.model_selection",
    "onnxruntime", "tensorflow", "keras", "onnx", "tf2onnx", "s3fs", "concurrent.futures.process", "multiprocessing.spawn",
    *(f"deepfake_cli.commands.{name}" for name in ("audit", "calibrate", "compare", "evaluate", "export", "make_csv", "matrix")),
    *(f"deepfake_cli.commands.{name}" for name in ("predict", "report", "split", "train")),
    "deepfake_cli.training.fit", "deepfake_cli.evaluation.keras_scorer", "deepfake_cli.inference.detector",
)  # fmt: skip
BY_COMMAND = {
    "KERAS_BACKEND": "tensorflow",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "OPENCV_LOG_LEVEL": "ERROR",
}  # whatever was there
READ_WHILE_LOADING = re.compile(
    r"(CUDA|HOME|JAX|KERAS|KMP|LANG|LC|LD|MALLOC|MPL|NVIDIA|OMP|OPENBLAS|OPENCV|ORT|TF|XDG|XLA)(_|$)(?!CONFIG$)|PYTHON"
)


KIND = socket.AF_UNIX, socket.SOCK_SEQPACKET


class Forked:
    """A process forked from the server, with what tests use of `subprocess.Popen`."""

    def __init__(self, pid: int, status: int, stdout: IO | None, stderr: IO | None, args: list[str]):
        self.pid, self.stdout, self.stderr, self.args = pid, stdout, stderr, args
        self.returncode: int | None = None
        self._status = os.fdopen(status)

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        if self.returncode is None:
            with selectors.DefaultSelector() as selector:
                selector.register(self._status, selectors.EVENT_READ)
                if not selector.select(timeout):
                    raise subprocess.TimeoutExpired(self.args, timeout or 0)
            self.returncode = int(self._status.read())
            self._status.close()
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str | None, str | None]:
        texts: dict[str, str] = {}

        def read(name: str, stream: IO) -> None:
            texts[name] = stream.read()
            stream.close()

        streams = {name: stream for name, stream in (("out", self.stdout), ("errors", self.stderr)) if stream}
        threads = [
            threading.Thread(target=read, args=each, daemon=True) for each in streams.items() if not each[1].closed
        ]
        for thread in threads:
            thread.start()
        self.wait(timeout)
        for thread in threads:
            thread.join(timeout)
            if thread.is_alive():  # a child of the process has the stream still
                raise subprocess.TimeoutExpired(self.args, timeout or 0)
        return texts.get("out"), texts.get("errors")

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


class Server:
    """A connection to the warm process, which all workers of a run of pytest share; it ends with the last connection."""

    def __init__(self) -> None:
        run = os.environ.get("PYTEST_XDIST_TESTRUNUID") or f"{os.getpid()}"
        address = f"\0deepfake-tests-{os.getuid()}-{run}"  # needs no file
        with socket.socket(*KIND) as listener:
            try:
                listener.bind(address)
                listener.listen()
                subprocess.Popen(
                    [sys.executable, __file__, str(listener.fileno())],
                    env=os.environ | BY_COMMAND, stdin=DEVNULL, stdout=DEVNULL, stderr=DEVNULL, pass_fds=[listener.fileno()],
                )  # fmt: skip
            except OSError as error:
                if error.errno != errno.EADDRINUSE:
                    raise
        self._channel = socket.socket(*KIND)
        for left in reversed(range(100)):  # another worker may have bound the address and not listen yet
            with contextlib.suppress(*[ConnectionRefusedError] * bool(left)):
                self._channel.connect(address)
                break
            time.sleep(0.01)
        self._lock = threading.Lock()

    def start(
        self, words: list[str], cwd: Path, environment: dict[str, str], stdout: int, stderr: int, rights: bool
    ) -> Forked:
        null, (status, theirs) = os.open(os.devnull, os.O_RDWR), os.pipe()
        pipes = [os.pipe() if to == PIPE else None for to in (stdout, stderr)]
        ends = [pipe[1] if pipe else null for pipe in pipes]
        request = json.dumps({"words": words, "cwd": str(cwd), "environment": environment, "rights": rights}).encode()
        with self._lock:
            socket.send_fds(self._channel, [request], [null, *ends, theirs])
        for descriptor in {null, *ends, theirs}:
            os.close(descriptor)
        pid = b""
        while not pid.endswith(b"\n"):
            pid += (byte := os.read(status, 1))
            assert byte, "the server of tests/processes.py is gone"
        return Forked(int(pid), status, *(os.fdopen(pipe[0]) if pipe else None for pipe in pipes), args=words)


_server: Server | None = None
_starting = threading.Lock()


def start(
    *arguments,
    cwd: Path,
    stdout: int = PIPE,
    stderr: int = PIPE,
    fresh: bool = False,
    rights: bool = True,
    **environment: str,
) -> subprocess.Popen | Forked:
    """Start ``deepfake`` in a folder: ``start("train", "--epochs", 2, cwd=folder)``; streams are `PIPE` or `DEVNULL`.

    A script as the first argument, ``start("benchmarks/input.py", …)``, is started instead, as Python does.
    Without `rights`, root may read and write no more than another user; only in a forked process.
    """
    global _server
    words, whole = [*map(str, arguments)], os.environ | environment
    if words[:1] == ["split"] and not fresh and not {"--workers", "--cluster"} & set(words):
        words += ["--workers", "1"]  # or each starts two processes for some ten images
    loading = any(READ_WHILE_LOADING.match(name) for name in environment)
    if not fresh and not loading and sys.platform == "linux" and not {"-v", "--verbose"} & set(words):
        with _starting:
            _server = _server or Server()
        return _server.start(words, cwd, whole, stdout, stderr, rights)
    assert rights, "only a forked process gives up its rights"
    command = [sys.executable, *([] if _is_script(words) else ["-m", "deepfake_cli"]), *words]
    return subprocess.Popen(command, cwd=cwd, env=whole, stdin=DEVNULL, stdout=stdout, stderr=stderr, text=True)


def run(
    *arguments,
    cwd: Path,
    check: int | None = 0,
    fresh: bool = False,
    rights: bool = True,
    timeout: float = 900,
    **environment: str,
) -> subprocess.CompletedProcess:
    """Run what `start` starts to its end; `check` is the exit status it must have."""
    process = start(*arguments, cwd=cwd, fresh=fresh, rights=rights, **environment)
    try:
        out, errors = process.communicate(timeout=timeout)
    except BaseException:
        process.kill()
        raise
    assert check is None or process.returncode == check, out + errors
    assert "Traceback" not in errors, errors
    return subprocess.CompletedProcess(process.args, process.returncode, out, errors)


def _is_script(words: list[str]) -> bool:
    return words[:1] != [] and words[0].endswith(".py")


def _serve(listener: socket.socket) -> dict:
    """Fork a child for each request, until nobody is left to make one; return only in the children, with the request."""
    woken, wake = os.pipe()
    os.set_blocking(wake, False)
    signal.set_wakeup_fd(wake, warn_on_full_buffer=False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C in a terminal is for the tests
    running: dict[int, int] = {}
    channels: list[socket.socket] = []
    with selectors.DefaultSelector() as selector:
        selector.register(listener, selectors.EVENT_READ)
        selector.register(woken, selectors.EVENT_READ)
        while True:
            for key, _ in selector.select():
                if key.fileobj is listener:
                    channels.append(listener.accept()[0])
                    selector.register(channels[-1], selectors.EVENT_READ)
                elif isinstance(channel := key.fileobj, socket.socket):
                    data, descriptors, *_ = socket.recv_fds(channel, 2**20, 4)
                    if not data:
                        selector.unregister(channel)
                        channels.remove(channel)
                        channel.close()
                        if not channels:
                            os._exit(0)
                        continue
                    with warnings.catch_warnings():
                        warnings.simplefilter("ignore")  # threads of OpenBLAS and Arrow, both of which can be forked
                        pid = os.fork()
                    if not pid:
                        signal.set_wakeup_fd(-1)
                        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                        signal.signal(signal.SIGINT, signal.default_int_handler)
                        for each in (listener, *channels):
                            each.close()
                        for number, descriptor in enumerate(descriptors[:3]):
                            os.dup2(descriptor, number)
                        for descriptor in (*descriptors, *running.values(), woken, wake):
                            os.close(descriptor)
                        return json.loads(data)
                    *streams, status = descriptors
                    for descriptor in streams:
                        os.close(descriptor)
                    running[pid] = status
                    os.write(status, b"%d\n" % pid)
                else:
                    os.read(woken, 4096)
                    while running:
                        pid, code = os.waitpid(-1, os.WNOHANG)
                        if not pid:
                            break
                        with contextlib.suppress(BrokenPipeError):
                            os.write(running[pid], b"%d" % os.waitstatus_to_exitcode(code))
                        os.close(running.pop(pid))


def load() -> None:
    """Load what the commands load; the first time in an environment, compile it too."""
    for name in LOADED:
        with contextlib.suppress(ImportError):
            importlib.import_module(name)


def _draw() -> None:
    """Fill Matplotlib's caches, or the first plot of each command takes a third of a second longer."""
    from matplotlib.figure import Figure

    for kind in ("png", "svg"):
        figure = Figure(layout="constrained")
        axes = figure.subplots()
        axes.plot([0, 1], label="a line")
        axes.set_title("A title", fontweight="bold")
        axes.legend()
        figure.savefig(io.BytesIO(), format=kind)


def _main() -> None:
    sys.path.pop(0)  # the folder of this file
    before = dict(os.environ)
    import deepfake_cli  # sets what OpenCV and ONNX Runtime read while they load

    defaults = {name: value for name, value in os.environ.items() if name not in before}
    load()
    _draw()
    assert f"{deepfake_cli.__name__}.cli" not in sys.modules
    gc.collect()
    gc.freeze()  # or each child would copy all pages when it collects garbage
    request = _serve(socket.socket(fileno=int(sys.argv[1])))
    np = sys.modules["numpy"]
    np.random.seed()  # as Python's own generator does
    tempfile.tempdir = None  # TMPDIR may be another one
    os.environ.clear()
    os.environ.update(defaults | request["environment"])
    os.chdir(request["cwd"])
    words = request["words"]
    script = words[0] if _is_script(words) else None
    sys.path.insert(0, str(Path(script).parent) if script else request["cwd"])
    sys.argv = words if script else [sys.argv[0], *words]
    if not request["rights"]:
        libc, header, none = ctypes.CDLL(None), (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()
        for capability in range(64):
            libc.prctl(24, capability, 0, 0, 0)  # PR_CAPBSET_DROP: nor do its own processes
        assert libc.capset(header, none) == 0
    code: object = 0
    try:
        if script:
            runpy.run_path(script, run_name="__main__")
        else:
            runpy.run_module("deepfake_cli", run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
        if isinstance(code, str):
            print(code, file=sys.stderr)  # noqa: T201
    except BaseException:  # noqa: BLE001
        sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
        code = 1
    # What the interpreter does at its end, but for taking apart the modules that the server loaded.
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    _main()

# /// script
# dependencies = ["nox[uv]"]
# ///
"""Lint, types, docs and all tests: ``nox`` runs these four; ``nox -s lint types tests`` takes minutes, before a commit."""

import nox

nox.options.default_venv_backend = "uv|virtualenv"  # the lines above bring uv, which installs in seconds
nox.options.sessions = ["lint", "types", "docs", "all"]
nox.options.reuse_venv = "yes"  # before a commit, only the package is installed anew
nox.options.error_on_missing_interpreters = False

# On two cores, since tests wait for processes; whole files, since their fixtures train and start clusters.
# Files with slow tests come first (tests/conftest.py), so that the workers end together.
WORKERS = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
# The workers share the cores, so each library computes in one thread.
ONE_THREAD = ("TF_NUM_INTRAOP_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "OPENCV_FOR_THREADS_NUM")
PROJECT = nox.project.load_toml("pyproject.toml")


def install(session: nox.Session, group: str) -> None:
    session.install(*nox.project.dependency_groups(PROJECT, group))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, and which room may call which."""
    install(session, "lint")
    session.install("--no-deps", ".")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("lint-imports")


@nox.session
def types(session: nox.Session) -> None:
    """Types; TensorFlow and Keras have none to speak of and are not installed."""
    install(session, "types")
    session.install("numpy", "pydantic", "typer", "rich", "av", "filelock", "jinja2")
    session.install("--no-deps", ".")
    session.run("mypy")


@nox.session
def docs(session: nox.Session) -> None:
    """The site, in build/site/html: warnings, and links that lead nowhere, are errors."""
    install(session, "docs")
    session.install("-r", "requirements/judge.txt")
    session.install("--no-deps", ".")
    session.run("python", "scripts/site.py")


@nox.session
def tests(session: nox.Session) -> None:
    """All tests but the slow ones, on real small media."""
    with_package(session)
    session.run("pytest", *WORKERS, "-m", "not slow", *session.posargs)


@nox.session
def slow(session: nox.Session) -> None:
    """The tests that take more than two seconds of processor time; some train real models."""
    with_package(session)
    session.run("pytest", *WORKERS, "-m", "slow", *session.posargs)


@nox.session(name="all")
def every_test(session: nox.Session) -> None:
    """`tests` and `slow` in one run, which installs, loads TensorFlow and makes the fixtures once."""
    with_package(session)
    session.run("pytest", *WORKERS, *session.posargs)


def with_package(session: nox.Session) -> None:
    install(session, "test")
    session.install(".")
    # Compiles what most tests load, a fifth of all modules, once: the workers start together and would each do so, and where
    # nothing may be kept, as in many containers, so would each process.
    session.env["PYTHONDONTWRITEBYTECODE"] = ""
    session.env.update(dict.fromkeys(ONE_THREAD, "1"))
    session.run("python", "-c", "from tests import processes; processes.load()")

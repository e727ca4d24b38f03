"""Suppress the output of native libraries while they load."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TextIO

from deepfake_cli.errors import DeepfakeError

_screen: list[TextIO] = []  # stderr of the process, as it was before the first block of `quiet`
_depth = 0  # of blocks of `quiet`
LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # the command line sets it to 3, unless -v is given


def screen() -> TextIO | None:
    """Where progress is shown while stderr of the process is suppressed; None if it is not."""
    return _screen[0] if _depth else None


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress stderr of the process in the block; print it if the block fails, unless by a `DeepfakeError`.

    TensorFlow prints lines before its log level takes effect. Does nothing unless that level is 3.
    """
    if os.environ.get(LEVEL) != "3":
        yield
        return
    global _depth
    sys.stderr.flush()
    real = os.dup(2)
    _screen[:] = _screen or [os.fdopen(os.dup(2), "w", encoding=sys.stderr.encoding, errors="backslashreplace")]
    _depth += 1
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except DeepfakeError:  # says all
            raise
        except BaseException:
            held.seek(0)
            os.write(real, held.read())
            raise
        finally:
            _depth -= 1
            os.dup2(real, 2)
            os.close(real)

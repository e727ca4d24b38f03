"""Suppress the output of native libraries while they load."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from deepfake_cli.errors import DeepfakeError

LEVEL = "TF_CPP_MIN_LOG_LEVEL"  # the command line sets it to 3, unless -v is given


@contextmanager
def quiet() -> Iterator[None]:
    """Suppress stderr of the process in the block; print it if the block fails, unless by a `DeepfakeError`.

    TensorFlow prints lines before its log level takes effect. Does nothing unless that level is 3.
    """
    if os.environ.get(LEVEL) != "3":
        yield
        return
    sys.stderr.flush()
    real = os.dup(2)
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
            os.dup2(real, 2)
            os.close(real)

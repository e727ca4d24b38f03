"""HTML pages: one Jinja environment for all templates of the package, and images inside a page."""

import base64
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from deepfake_cli.storage import hashes
from deepfake_cli.storage.escapes import visible

SIDE = 176  # pixels of an image on a page
QUALITY = 85  # JPEG


def render(template: str, **values: Any) -> str:
    """Fill a template; every value is escaped, control characters too, and an unknown name is an error.

    Args:
        template: its path inside the package, such as ``"reporting/report.html.jinja"``.
        values: by name; ``version`` is that of the package.
    """
    from deepfake_cli import __version__

    return str(_environment().get_template(template).render(version=__version__, **values))


def data_url(image: NDArray[np.uint8], side: int = SIDE) -> str:
    """Return an image as a JPEG in a ``data:`` URL.

    Args:
        image: uint8 BGR (height, width, 3).
        side: longest side in pixels; a smaller image keeps its size.
    """
    import cv2

    scale = min(1.0, side / max(image.shape[:2]))
    small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA) if scale < 1 else image
    data = cv2.imencode(".jpg", small, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1].tobytes()
    return "data:image/jpeg;base64," + base64.b64encode(data).decode()


@cache
def _environment() -> Any:
    import jinja2

    from deepfake_cli.reporting.summary import count, figure

    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("deepfake_cli", ""),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.filters |= {"figure": figure, "count": count, "hash_name": hashes.name}
    return environment


def _shown(value: Any) -> Any:
    """A value as a page shows it: a name must not turn the direction of the text, or have characters that HTML forbids."""
    return visible(value) if type(value) is str else value  # markup is a kind of str

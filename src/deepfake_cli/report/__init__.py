"""An evaluation as one page, ``report.html``, that needs nothing but a browser: no network, no script.

Whatever stands in file names and lists is text there, whatever it looks like: the template escapes it, and the page's
own policy forbids scripts and requests.
"""

from deepfake_cli.report.folder import from_folder
from deepfake_cli.report.page import write

__all__ = ["from_folder", "write"]

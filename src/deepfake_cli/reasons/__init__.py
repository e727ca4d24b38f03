"""Why a file was judged as it was: the most suspicious faces and what in them speaks for fake, as a page, pictures and a film."""

from deepfake_cli.reasons.film import film
from deepfake_cli.reasons.page import page
from deepfake_cli.reasons.sheet import sheet

__all__ = ["film", "page", "sheet"]

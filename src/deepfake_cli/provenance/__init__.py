"""Where a file says it came from: Content Credentials, XMP, EXIF, known generators. Facts beside a score, never part of it."""

from deepfake_cli.provenance.origin import Provenance, provenance

__all__ = ["Provenance", "provenance"]

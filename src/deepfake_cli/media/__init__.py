"""Read videos and images: decoding, headers, re-encoding, JPEG tables."""

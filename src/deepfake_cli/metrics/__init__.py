"""Metrics with intervals, of frames, videos and groups. Fake is the positive class, 1; real is 0."""

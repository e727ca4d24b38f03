"""Scores become figures with intervals, at frame, video and group level. Fake is the positive class, 1; real is 0."""

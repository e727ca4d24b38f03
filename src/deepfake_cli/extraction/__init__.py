"""One video to face crops or frames, and their rows in the manifest."""

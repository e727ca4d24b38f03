"""Extract frames or face crops from a video, with their manifest rows."""

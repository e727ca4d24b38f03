"""Explain a verdict: frames with the highest scores and their heat maps, as a page, an image sheet and a video."""

"""Fitting a detector: batches, recipe, state and the folder that a run lives in."""

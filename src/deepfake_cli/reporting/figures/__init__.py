"""Plots as files: reliability, robustness, corruptions, cross-dataset matrix, results of a training."""

"""Plots of an evaluation as PNG: reliability, robustness, corruptions, cross-dataset matrix."""

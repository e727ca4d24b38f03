"""Pictures of what an evaluation found: reliability, robustness, the matrix of data sets."""

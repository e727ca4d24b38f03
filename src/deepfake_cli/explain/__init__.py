"""Where a detector looks: heat maps of what speaks for its call."""

from deepfake_cli.explain.grad_cam import heat_maps

__all__ = ["heat_maps"]

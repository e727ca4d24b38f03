"""Manifests and split lists: reading, checks, groups, and splits without shared groups."""

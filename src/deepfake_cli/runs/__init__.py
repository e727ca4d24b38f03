"""The folder of a run: its recipe, its snapshots, where it goes on, and where it is mirrored."""

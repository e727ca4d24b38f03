"""The folder of a run: recipe, snapshots, calibration, card, listing, resume, and its copy in an object store."""

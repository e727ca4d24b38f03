"""The folder of a run: recipe, snapshots, listing, resume, and its copy in an object store."""

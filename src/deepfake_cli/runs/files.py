"""The names of the files in the folder of a run, and the suffixes of snapshots."""

KERAS = (".keras", ".h5", ".hdf5")  # suffixes of snapshots, in either case
BEST = "best.keras"
BEST_ONNX = "best.onnx"  # its export, written after the last epoch
EVALUATIONS = "evaluations"  # a folder for each
STATE = "state.keras"  # the state in the middle of an epoch: a Keras archive with the further entry PROGRESS
PROGRESS = "progress.json"
DELETE = "Delete the file to resume from the newest snapshot."
LOCK = "lock"

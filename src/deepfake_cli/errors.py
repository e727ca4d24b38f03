"""What a user can mend. Anything that is not a `DeepfakeError` is a bug and keeps its traceback."""


class DeepfakeError(Exception):
    """A fault in the input: the message says what was found, what was expected and what to do."""


class ConfigError(DeepfakeError):
    """A setting that is unknown, of the wrong type or out of range."""


class DatasetError(DeepfakeError):
    """A folder that does not have the layout of the data set it is said to be."""


class VideoError(DeepfakeError):
    """A video, or a folder of frames, that cannot be read."""


class ManifestError(DeepfakeError):
    """A CSV of frames that cannot be used."""


class ModelError(DeepfakeError):
    """A model, its weights or its snapshot that cannot be had or does not fit."""


class StorageError(DeepfakeError):
    """A file in an object store or on another machine that can't be read or written."""


class ClusterError(DeepfakeError):
    """A cluster that is not there, or whose machines can't do our work."""


class DeviceError(DeepfakeError):
    """Devices asked for that this machine does not have."""

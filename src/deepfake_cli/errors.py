"""Errors that the user can fix. Any other exception is a bug and keeps its traceback."""


class DeepfakeError(Exception):
    """An error in the input; the message says what was found, what was expected and how to fix it."""


class ConfigError(DeepfakeError):
    """An unknown setting, a wrong type or a value out of range."""


class MissingFileError(ConfigError, FileNotFoundError):
    """A file, folder or pattern to judge that does not exist. Python code may catch it as `FileNotFoundError`."""


class DatasetError(DeepfakeError):
    """A folder without the layout of its data set."""


class VideoError(DeepfakeError):
    """A video or a folder of frames that cannot be read."""


class ManifestError(DeepfakeError):
    """An invalid CSV of frames."""


class ModelError(DeepfakeError):
    """A model, weights or a snapshot that is missing, damaged or does not fit."""


class MissingModelError(ModelError, FileNotFoundError):
    """A detector or snapshot that does not exist. Python code may catch it as `FileNotFoundError`."""


class StorageError(DeepfakeError):
    """A remote file that cannot be read or written."""


class CaseError(DeepfakeError):
    """A case folder that cannot be written, or that is not as it was written; or a key that cannot be used."""


class ClusterError(DeepfakeError):
    """A missing cluster, or one that cannot run the command."""


class InstallationError(DeepfakeError):
    """A package that is not installed."""


class DeviceError(DeepfakeError):
    """Requested devices that do not exist."""

"""Files on disks and in object stores, whole or not at all, alone or in tar shards."""

"""Local and remote files: atomic writes, object stores, tar shards."""

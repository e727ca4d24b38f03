"""Lists of frames: the manifest, its checks, groups, and their division into parts that share none."""

"""The commands as functions: they print nothing, return a result, and report progress through a callback."""

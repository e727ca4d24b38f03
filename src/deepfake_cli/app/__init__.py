"""The local web page of ``deepfake app``: drop a file, get a verdict.

One process: one thread answers requests, a few others judge files, all with one detector. Uploads stay in a private folder
until they are judged; results stay in memory until they expire.
"""

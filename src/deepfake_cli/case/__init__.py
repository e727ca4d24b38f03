"""The case folder of ``deepfake predict --case``: report, record, frames, log, hashes and signature, and its verification."""

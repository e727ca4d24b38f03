"""Pseudo-fakes made from real faces: each bears one artefact of a face swap, for training and for the demonstration."""

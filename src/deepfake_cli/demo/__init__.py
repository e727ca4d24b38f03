"""The set that ``deepfake demo`` works on."""

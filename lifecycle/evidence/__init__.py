"""What proves the action log: its hashes, its signed checkpoints, its check, and packs of it
that somebody outside can check with `verify_evidence.py` alone."""

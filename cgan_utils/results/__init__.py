"""Trained runs on disk, and how good their images are."""

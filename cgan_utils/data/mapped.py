"""An array of images that lies in a file."""

from pathlib import Path

import numpy as np

from .sources import DataError


class MappedImages:
    """Images in a file: like an array, uint8 [N, H, W, C], that reads only what it is asked for.

    `images[3]` and `images[[5, 2, 9]]`, with integers or booleans, are NumPy arrays of their own; `images[10:20]` is
    `MappedImages` again and reads nothing. Whatever else an array can do, `np.asarray(images)` can, which holds all.
    A file that is gone or too short raises `DataError`.
    """

    dtype = np.dtype(np.uint8)
    ndim = 4

    def __init__(self, path, shape, rows=None, channels=None):
        """path: the raw pixels of images of `shape` [N, H, W, C]; rows: which of them, in order; None is all.

        channels: how many of C an image has, the first ones; None is all.
        """
        self.path, self._stored, self._channels = Path(path), tuple(shape), channels or shape[-1]
        self._rows = np.arange(shape[0]) if rows is None else rows

    @property
    def shape(self):
        return (len(self), *self._stored[1:3], self._channels)

    def __len__(self):
        return len(self._rows)

    def __getitem__(self, key):
        if isinstance(key, slice):
            return self.view(key)
        if isinstance(key, tuple):  # images[..., 0]
            return np.asarray(self)[key]
        return self._read(self._rows[key])

    def __array__(self, dtype=None, copy=None):
        if copy is False:
            raise ValueError("An array of images that lie in a file is always a copy.")
        return self._read(self._rows).astype(dtype or self.dtype, copy=False)

    def view(self, key):
        """The images at a slice or at integers [M], in that order, as `MappedImages` [M, H, W, C]; reads nothing."""
        return MappedImages(self.path, self._stored, self._rows[key], self._channels)

    def _read(self, rows):
        # Mapped anew each time: pages once read count as memory until the map is gone, in the end the whole file.
        try:
            stored = np.memmap(self.path, self.dtype, "r", shape=self._stored)
        except (OSError, ValueError) as error:
            raise DataError(
                f"The prepared images {self.path} are no longer whole; load their folder again, and they are made anew."
            ) from error
        images = np.asarray(stored)[..., : self._channels]
        # Not `take`: where channels are left out it first copies the whole file. One row alone is a view of the map.
        return images[rows] if rows.ndim else images[rows].copy()

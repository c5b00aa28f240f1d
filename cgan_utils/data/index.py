"""How far the preparation of a folder is, on disk: what `folders.prepare` goes on from."""

import json
from dataclasses import asdict, dataclass, field

from ..paths import whole

LONG, SMALL = 4, 4  # a picture so many times longer than wide, or so many times smaller than it is to be, is odd


@dataclass
class Index:
    """How far a preparation is: files done, in the order of the listing, and which of them gave no image and why.

    It is written after the pixels that it speaks of, and whole or not at all; pixels beyond it are not read. What it
    holds in `groups` is known at the end: how many images follow each other with one label and `File.test`. `refused`:
    files that the system did not let us read, which may pass: the folder is prepared anew once one of them opens.
    `extents`: the ranges of the pictures of more than eight bits, measured before the first is decoded, so that all
    are scaled alike (see `pictures.extents_of`); None where that was not done.
    """

    done: int = 0
    left_out: dict[str, str] = field(default_factory=dict)
    deep: int = 0
    colour: bool = False
    sides: list = field(default_factory=list)
    odd: list = field(default_factory=list)
    groups: list = field(default_factory=list)
    class_names: list = field(default_factory=list)
    background: str = "white"
    refused: list = field(default_factory=list)
    extents: dict | None = None

    @property
    def rows(self):
        return self.done - len(self.left_out)

    @property
    def scaled_apart(self):
        """Whether each deep picture was scaled by its own range, as versions before `extents` did."""
        return bool(self.deep) and self.extents is None

    @property
    def complete(self):
        return bool(self.class_names)

    def note(self, name, picture):
        """Take down what is worth knowing of a picture."""
        short, long = sorted((picture.width, picture.height))
        self.deep += picture.deep
        self.colour |= bool((picture.pixels != picture.pixels[..., :1]).any())
        self.sides = [min(short, *self.sides[:1], short), max(long, *self.sides[1:], long)]
        if long > LONG * short or long < len(picture.pixels) / SMALL:
            self.odd.append(name)

    @classmethod
    def read(cls, path, size, background="white"):
        """The index in a file; a new one if there is none, or if the images beside it are not as long as it says."""
        new = cls(background=background)
        try:
            index = cls(**json.loads(path.read_text()))
            surplus = path.with_suffix(".uint8").stat().st_size - index.rows * size * size * 3
        except (OSError, ValueError, TypeError):
            return new
        return index if surplus == 0 or (surplus > 0 and not index.complete) else new

    def write(self, path):
        with whole(path) as new:
            new.write_text(json.dumps(asdict(self)))

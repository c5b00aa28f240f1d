#!/usr/bin/env bash
# Pillow 13.0.0: a 16-bit grey picture (mode I;16) is resized well, but rotated with interpolation it becomes noise.
#
# Expected: rotate() and transform() with BILINEAR or BICUBIC interpolate 16-bit pictures as resize() does, or refuse
#           them, as reduce(), filter() and ImageOps.autocontrast() do ("image has wrong mode").
# Happens:  they take the bytes of a row for its values: of 1000 come 232 and 3, and only the left half is read.
#           NEAREST and quarter turns are right, so a short try looks well; so is mode F. ImageStat takes the bytes,
#           too, whereas getextrema() is right. Turning a picture a little is the usual augmentation, and medical
#           pictures often have 16 bits.
#
# Output seen (the left half 1000, the right half 40000):
#   resize, BILINEAR:             1000 1000 1000 1000 40000 40000 40000 40000
#   identity transform, NEAREST:  1000 1000 1000 1000 40000 40000 40000 40000
#   identity transform, BILINEAR: 232 3 232 3 232 3 232 3
#   the same in mode F:           1000 1000 1000 1000 40000 40000 40000 40000
#   turned by 10 degrees, largest value: NEAREST 40000, BILINEAR below 256
#   largest value by getextrema 40000, by ImageStat 232
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet pillow==13.0.0 numpy==2.4.6

cat > compare.py <<'PY'
import numpy as np
from PIL import Image, ImageStat
from PIL.Image import Resampling, Transform

levels = np.full((8, 8), 1000, np.uint16)
levels[:, 4:] = 40000
picture = Image.fromarray(levels)


def row(result):
    return " ".join(f"{value:g}" for value in np.asarray(result)[4])


def identity(source, interpolation):
    return source.transform(source.size, Transform.AFFINE, (1, 0, 0, 0, 1, 0), interpolation)


print("resize, BILINEAR:            ", row(picture.resize((8, 16), Resampling.BILINEAR)))
print("identity transform, NEAREST: ", row(identity(picture, Resampling.NEAREST)))
print("identity transform, BILINEAR:", row(identity(picture, Resampling.BILINEAR)))
print("the same in mode F:          ", row(identity(picture.convert("F"), Resampling.BILINEAR)))
nearest = np.asarray(picture.rotate(10, Resampling.NEAREST)).max()
bilinear = "below 256" if np.asarray(picture.rotate(10, Resampling.BILINEAR)).max() < 256 else "256 or more"
print(f"turned by 10 degrees, largest value: NEAREST {nearest}, BILINEAR {bilinear}")
largest = picture.getextrema()[1], ImageStat.Stat(picture).extrema[0][1]
print("largest value by getextrema {}, by ImageStat {}".format(*largest))
PY
venv/bin/python compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
resize, BILINEAR:             1000 1000 1000 1000 40000 40000 40000 40000
identity transform, NEAREST:  1000 1000 1000 1000 40000 40000 40000 40000
identity transform, BILINEAR: 232 3 232 3 232 3 232 3
the same in mode F:           1000 1000 1000 1000 40000 40000 40000 40000
turned by 10 degrees, largest value: NEAREST 40000, BILINEAR below 256
largest value by getextrema 40000, by ImageStat 232
END

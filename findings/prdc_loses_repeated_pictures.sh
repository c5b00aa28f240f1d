#!/usr/bin/env bash
# prdc 0.2 (precision, recall, density, coverage): a set compared with itself gets 0 where pictures repeat.
#
# Expected: two equal sets have precision 1, recall 1 and coverage 1, however often a picture occurs in them.
# Happens:  with each picture more than nearest_k times in the set, the radius about it is the distance to a copy,
#           0 (or what rounding leaves of it), and `distance < radius` with a strict < finds nothing. Up to
#           nearest_k copies all is well; with one more, everything falls to 0. The papers on precision and recall
#           write the ball with <=. A set that was balanced by repeating its rare class reaches this.
#
# Output seen (200 pictures, 64 whole-numbered features, nearest_k = 5):
#   copies 1: precision 1.0 recall 1.0 density 1.0 coverage 1.0
#   copies 5: precision 1.0 recall 1.0 density 1.0 coverage 1.0
#   copies 6: precision 0.0 recall 0.0 density 0.0 coverage 0.0
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet prdc==0.2 numpy==2.4.6 scikit-learn==1.9.1

cat > compare.py <<'PY'
import contextlib
import io

import numpy as np
from prdc import compute_prdc

# Whole numbers, so that all products are exact and the distance between copies is exactly 0.
pictures = np.random.default_rng(0).integers(-20, 21, (200, 64)).astype(np.float64)
for copies in 1, 5, 6:
    features = np.repeat(pictures, copies, axis=0)
    with contextlib.redirect_stdout(io.StringIO()):
        measures = compute_prdc(features, features.copy(), nearest_k=5)
    print(f"copies {copies}:", *(f"{name} {value:.1f}" for name, value in measures.items()))
PY
venv/bin/python compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
copies 1: precision 1.0 recall 1.0 density 1.0 coverage 1.0
copies 5: precision 1.0 recall 1.0 density 1.0 coverage 1.0
copies 6: precision 0.0 recall 0.0 density 0.0 coverage 0.0
END

#!/usr/bin/env bash
# papermill 2.7.0: `-p run 2026_11` hands the notebook the number 202611.
#
# Expected: text that is no number to a person arrives as text; papermill documents that -p guesses numbers, and -r
#           exists to pass text, but 2026_11 does not look as if it needed it.
# Happens:  Python's int() accepts underscores between digits, so a run named by year and month, or 12_04, becomes
#           another name altogether. 1e5 (a plausible short name, and many commit hashes look so) becomes 100000.0.
#           v2026_11 stays text, so that one run in a list breaks. The notebook looks for a folder that isn't there.
#
# Output seen:
#   2026_11  -> 202611
#   12_04    -> 1204
#   1e5      -> 100000.0
#   v2026_11 -> 'v2026_11'
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet papermill==2.7.0 ipykernel==7.4.0

venv/bin/python - <<'PY'
from nbformat import v4, write

parameters = v4.new_code_cell("run = 'none'", metadata={"tags": ["parameters"]})
kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
write(v4.new_notebook(cells=[parameters], metadata={"kernelspec": kernel}), "lesson.ipynb")
PY
for name in 2026_11 12_04 1e5 v2026_11; do
    venv/bin/papermill lesson.ipynb out.ipynb -p run "$name" --prepare-only > /dev/null 2>&1
    venv/bin/python - "$name" <<'PY'
import sys

import nbformat

injected = nbformat.read("out.ipynb", 4).cells[1].source
scope = {}
exec(injected, scope)
print(f"{sys.argv[1]:8} -> {scope['run']!r}")
PY
done > seen.txt
cat seen.txt
diff seen.txt - <<'END'
2026_11  -> 202611
12_04    -> 1204
1e5      -> 100000.0
v2026_11 -> 'v2026_11'
END

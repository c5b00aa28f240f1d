#!/usr/bin/env bash
# jupytext 1.19.6: a line of Python that begins with a variable named cat, mv, cp, rm or ls becomes a comment.
#
# Expected: a notebook computes the same as the script made from it (jupytext --to py:percent), or there is a warning.
# Happens:  `cat /= 255` is taken for the shell's command (IPython's automagic) and commented out; `cat = cat / 255`
#           is not. IPython itself runs the line as Python, because the variable exists. The script runs without an
#           error and gives another result. In a notebook about CIFAR-10, `cat` is a likely name; `mv *= 0.9` (a
#           moving variance) is hit, too.
#
# Output seen:
#   notebook: 0.2 0.9
#   script:   51.0 1.0
#   # cat /= 255
#   # mv *= 0.9
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet jupytext==1.19.6 nbclient==0.11.0 ipykernel==7.4.0

cat > make_and_run.py <<'PY'
from nbclient import NotebookClient
from nbformat import v4, write

cells = [
    v4.new_code_cell("cat = 51.0\nmv = 1.0"),
    v4.new_code_cell("cat /= 255\nmv *= 0.9"),
    v4.new_code_cell("print(cat, mv)"),
]
notebook = v4.new_notebook(cells=cells)
write(notebook, "lesson.ipynb")
NotebookClient(notebook, kernel_name="python3").execute()
print("notebook:", notebook.cells[-1].outputs[0]["text"].strip())
PY
{
    venv/bin/python make_and_run.py
    venv/bin/jupytext --quiet --to py:percent lesson.ipynb
    echo "script:   $(venv/bin/python lesson.py)"
    grep -E '^# (cat|mv) ' lesson.py
} > seen.txt
cat seen.txt
diff seen.txt - <<'END'
notebook: 0.2 0.9
script:   51.0 1.0
# cat /= 255
# mv *= 0.9
END

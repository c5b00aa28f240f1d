#!/usr/bin/env bash
# datasets 5.2.0 (Hugging Face): casting class labels to the names of another data set changes the classes of pictures.
#
# Expected: two sets, one with the names cat, dog and one with dog, cat, cannot be joined as they are, and
#           concatenate_datasets() says so. Casting one to the features of the other, as one then does, keeps each
#           picture's class and changes its number, or raises.
# Happens:  cast() and cast_column() keep the numbers and put the new names over them: each cat is a dog from then on,
#           and now the two sets can be joined. It raises for fewer names, not for others. What is needed is
#           align_labels_with_mapping(), which the error does not name. class_encode_column() on whole-numbered labels
#           changes them, too: it sorts them as text, so that with 11 classes and more, class 2 becomes number 3.
#
# Output seen:
#   joined as they are:          ValueError
#   the second before:           dog cat cat
#   after cast:                  cat dog dog
#   after cast_column:           cat dog dog
#   after align_labels:          dog cat cat
#   numbers 0 1 2 10 encoded:    0 1 3 2
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet datasets==5.2.0 numpy==2.4.6

cat > compare.py <<'PY'
from datasets import ClassLabel, Dataset, Features, concatenate_datasets, disable_progress_bars

disable_progress_bars()


def labelled(names):
    return Dataset.from_dict({"label": ["dog", "cat", "cat"]}, features=Features({"label": ClassLabel(names=names)}))


def classes(data):
    return " ".join(data.features["label"].int2str(number) for number in data["label"])


first, second = labelled(["cat", "dog"]), labelled(["dog", "cat"])
try:
    print("joined as they are:         ", classes(concatenate_datasets([first, second])))
except ValueError:
    print("joined as they are:          ValueError")
print("the second before:          ", classes(second))
print("after cast:                 ", classes(second.cast(first.features)))
print("after cast_column:          ", classes(second.cast_column("label", ClassLabel(names=["cat", "dog"]))))
print("after align_labels:         ", classes(second.align_labels_with_mapping({"cat": 0, "dog": 1}, "label")))
encoded = Dataset.from_dict({"label": [0, 1, 2, 10]}).class_encode_column("label")
print("numbers 0 1 2 10 encoded:   ", *encoded["label"])
PY
HF_HOME=$folder HF_HUB_OFFLINE=1 venv/bin/python compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
joined as they are:          ValueError
the second before:           dog cat cat
after cast:                  cat dog dog
after cast_column:           cat dog dog
after align_labels:          dog cat cat
numbers 0 1 2 10 encoded:    0 1 3 2
END

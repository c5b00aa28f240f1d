"""The files of the page: names, words and seeds."""

import hashlib
import json
import shutil
import subprocess

import links
import numpy as np
import pytest
from looking import BUILT, DIGITS, SOURCE


def test_seeds_mean_what_they_mean_in_numpy():
    if not shutil.which("node"):
        pytest.skip("no Node on this machine")
    seeds = [0, 1, 7, 4294967295]
    script = f"""import {{ latent }} from "{(SOURCE / "random.js").as_uri()}";
        console.log(JSON.stringify({seeds}.map(seed => Array.from(latent(seed, 1001)))))"""
    command = ["node", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, check=True, timeout=60)
    wanted = [np.random.RandomState(seed).standard_normal(1001).astype("float32") for seed in seeds]
    np.testing.assert_allclose(json.loads(done.stdout), wanted, rtol=1e-6)


def test_every_class_has_a_spanish_name(built):
    text = (SOURCE / "names.js").read_text(encoding="utf-8")
    names = {name for run in built["runs"] for name in run["classes"] if not name.isdecimal()}
    assert [name for name in names if f"  {name}: " not in text and f'  "{name}": ' not in text] == []


def test_both_languages_say_everything():
    if not shutil.which("node"):
        pytest.skip("no Node on this machine")
    script = f"""import {{ languages }} from "{(SOURCE / "words.js").as_uri()}";
        const keys = words => Object.entries(words).flatMap(([k, v]) => typeof v == "object" ? keys(v) : [k]);
        console.log(JSON.stringify(Object.values(languages).map(keys)))"""
    command = ["node", "--input-type=module", "--eval", script]
    english, spanish = json.loads(subprocess.run(command, capture_output=True, check=True, timeout=60).stdout)
    assert english == spanish and len(english) > 30


def test_a_file_is_named_by_its_content(built):
    for entry in built["runs"]:
        digest = hashlib.sha256((BUILT / entry["file"]).read_bytes()).hexdigest()
        assert digest == entry["sha256"] and entry["file"].endswith(f".{digest[:8]}.onnx")


@pytest.mark.parametrize("source", [None, "https://github.com/someone/elsewhere"])
def test_the_page_links_to_the_project_only_where_there_is_one(built, visit, source):
    assert built["source"] == links.public() and "OWNER" not in json.dumps(built)
    told = json.dumps({**built, "source": source})
    page = visit(DIGITS, before=lambda page: page.route("**/runs.json", lambda route: route.fulfill(body=told)))
    link = page.get_by_role("link")
    assert [link.nth(i).get_attribute("href") for i in range(link.count())] == ([source] if source else [])


def test_no_script_or_style_stands_in_the_page():
    text = (SOURCE / "index.html").read_text(encoding="utf-8")
    assert "Content-Security-Policy" in text and "unsafe-inline" not in text
    assert text.count("<script") == text.count('<script type="module" src=') == 1
    assert "<style" not in text and " style=" not in text and " onclick=" not in text

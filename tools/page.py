"""Builds the web page that draws without Python: `python tools/page.py [--serve [PORT]]`, or `make page`.

page/src and the trained runs become page/dist, a folder that any static server can serve. An .onnx file is made anew
only when its run's weights have changed. With --serve the page is served on this machine and opened in a browser.
"""

import argparse
import functools
import hashlib
import http.server
import json
import os
import shutil
import sys
import tempfile
import webbrowser
from pathlib import Path

os.environ["KERAS_BACKEND"] = "torch"  # from which Keras writes ONNX; before anything of ours loads it

from links import ROOT, public

from cgan_utils.errors import CganError
from cgan_utils.images import grid, to_png
from cgan_utils.models.architectures import LATENT
from cgan_utils.results.onnx import blend
from cgan_utils.results.run import Run

SOURCE, TARGET = ROOT / "page" / "src", ROOT / "page" / "dist"
RUNTIME = ROOT / "page" / "node_modules" / "onnxruntime-web" / "dist"
# For a processor and for a graphics card, which is fetched only by who asks for it: what a script of ours imports, what
# that imports, and what is compiled.
RUNTIME_FILES = {
    "wasm": ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm"),
    "webgpu": ("ort.webgpu.min.mjs", "ort-wasm-simd-threaded.asyncify.mjs", "ort-wasm-simd-threaded.asyncify.wasm"),
}
SHOWN = 5  # pictures on a run's card


class Handler(http.server.SimpleHTTPRequestHandler):
    """Knows the types itself: Windows' registry may call .js plain text, and a browser then refuses to run it."""

    extensions_map = {
        **http.server.SimpleHTTPRequestHandler.extensions_map,
        ".js": "text/javascript",
        ".mjs": "text/javascript",
        ".wasm": "application/wasm",
        ".onnx": "application/octet-stream",
    }


def offered(folder=ROOT / "resultados"):
    """The runs worth showing: of each network and data set the one whose classes are recognised most often.

    Only those whose verdict is that they draw the class that was asked, and nothing else. Colour comes first.
    """
    best = {}
    for file in sorted(folder.glob("*/metrics.json")):
        metrics, run = json.loads(file.read_text(encoding="utf-8")), Run(file.parent)
        if metrics["verdict"]["keys"] != ["draws"]:
            continue
        experiment = run.record["experiment"]
        share = metrics["drawn"]["class_accuracy"]["mean"]
        kind = experiment["architecture"], experiment["dataset"]
        if kind not in best or share > best[kind][1]:
            best[kind] = run, share, metrics["real"]["class_accuracy"]
    return sorted(best.values(), key=lambda found: (-found[0].record["data"]["shape"][-1], -found[1] / found[2]))


def build():
    """Fill page/dist and return what runs.json says."""
    if not RUNTIME.is_dir():
        sys.exit("The page needs ONNX Runtime for browsers; `make page` fetches it with npm, which comes with Node.")
    for folder in ("models", "strips", "ort"):
        (TARGET / folder).mkdir(parents=True, exist_ok=True)
    runs = [entry(*found) for found in offered()]
    if not runs:
        sys.exit("No run in resultados/ draws the class that was asked; there is nothing to show.")
    tidy(runs)
    for name in sum(RUNTIME_FILES.values(), ()):
        shutil.copyfile(RUNTIME / name, TARGET / "ort" / name)
    for file in SOURCE.iterdir():
        shutil.copyfile(file, TARGET / file.name)
    runtimes = {
        device: {"module": f"ort/{module}", **described(TARGET / "ort" / compiled)}
        for device, (module, _, compiled) in RUNTIME_FILES.items()
    }
    said = {"source": public(), "runtimes": runtimes, "runs": runs}
    (TARGET / "runs.json").write_text(json.dumps(said, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    fill_service_worker(runs)
    return said


def exported(run):
    """The run's .onnx file in page/dist; it is made unless there is one of the same weights.

    Its name holds the weights' hash and its content's: another PyTorch or onnx writes other bytes of the same weights,
    and a browser that keeps a file under a name must never be offered another one under it.
    """
    models, name = TARGET / "models", f"{run.name}.{run.weights[run.draws_with][:8]}"
    if there := sorted(models.glob(f"{name}.*.onnx")):
        return there[0]
    print(f"{run.name} …", flush=True)
    new = models / "new.onnx"
    with tempfile.TemporaryDirectory() as folder:
        blend(run.export(Path(folder) / "generator.onnx"), new)
    return new.replace(models / f"{name}.{hashlib.sha256(new.read_bytes()).hexdigest()[:8]}.onnx")


def entry(run, accuracy, real):
    """What the page knows of a run; makes its .onnx file and the strip of pictures on its card."""
    data, file = run.record["data"], exported(run)
    strip = f"strips/{run.name}.{run.weights[run.draws_with][:8]}.png"
    if not (TARGET / strip).is_file():
        labels = [i * len(run.class_names) // SHOWN for i in range(SHOWN)]
        (TARGET / strip).write_bytes(to_png(grid(run.draw(labels, range(SHOWN)), SHOWN, gap=0)))
    return {
        "name": run.name,
        "title": data["title"],
        "classes": list(run.class_names),
        "shape": data["shape"],
        "latent": LATENT,
        **described(file),
        "strip": strip,
        "accuracy": accuracy,
        "real": real,
    }


def described(file):
    """What a browser checks a download by."""
    content = file.read_bytes()
    name = file.relative_to(TARGET).as_posix()
    return {"file": name, "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}


def tidy(runs):
    """Remove the .onnx files and strips of earlier builds that no longer belong to the page."""
    kept = {run[key] for run in runs for key in ("file", "strip")}
    for folder in ("models", "strips"):
        for old in (TARGET / folder).iterdir():
            if f"{folder}/{old.name}" not in kept:
                old.unlink()


def fill_service_worker(runs):
    """sw.js learns which files to keep, and a version that changes when one of them does."""
    files = sorted(file.name for file in SOURCE.iterdir() if file.name not in ("sw.js", "index.html"))
    files += ["runs.json", *(f"ort/{name}" for name in RUNTIME_FILES["wasm"]), *(run["strip"] for run in runs)]
    digest = hashlib.sha256()
    for name in ("index.html", *files):
        digest.update((TARGET / name).read_bytes())
    text = (SOURCE / "sw.js").read_text(encoding="utf-8")
    text = text.replace("{{version}}", digest.hexdigest()[:12]).replace("{{files}}", json.dumps(files))
    (TARGET / "sw.js").write_text(text, encoding="utf-8")


def port_number(text):
    if not (text.isdecimal() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"{text!r} is no port; a port is a whole number from 1 to 65535.")
    return int(text)


def serve(port):
    """The page on this machine alone, until Ctrl-C."""
    handler = functools.partial(Handler, directory=TARGET)
    try:
        server = http.server.ThreadingHTTPServer(("127.0.0.1", port), handler)
    except OSError:
        sys.exit(f"Port {port} is taken; name another one: --serve {port + 1}")
    print(f"http://127.0.0.1:{server.server_port}/  (Ctrl-C ends it)", flush=True)
    webbrowser.open(f"http://127.0.0.1:{server.server_port}/")
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        print()


def main(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--serve", nargs="?", type=port_number, const=8000, metavar="PORT", help="then serve it (port 8000)"
    )
    args = parser.parse_args(arguments)
    try:
        runs = build()["runs"]
    except CganError as error:
        sys.exit(str(error))
    size = sum(run["bytes"] for run in runs) / 1e6
    print(f"{Path(TARGET).relative_to(ROOT)}: {len(runs)} networks, {size:.0f} MB")
    if args.serve is not None:
        serve(args.serve)


if __name__ == "__main__":
    main()

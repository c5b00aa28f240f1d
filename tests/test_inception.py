"""The Inception FID."""

import shutil
import sys

import numpy as np
import pytest

from cgan_utils.errors import CganError
from cgan_utils.results import measures
from cgan_utils.results.evaluation import Reference, evaluate
from cgan_utils.results.inception import inception_fid
from cgan_utils.results.run import Run


def test_an_inception_fid_stays_until_it_is_of_other_images(run, numbers, tmp_path):
    shutil.copytree(run.path, tmp_path / "copy")
    copy = Run(tmp_path / "copy")
    found = evaluate(copy, Reference(numbers), per_class=2, repeats=1)
    fid = {"mean": 9.0, "values": [9.0]}
    copy.keep_metrics({**found, "drawn": {**found["drawn"], "inception_fid": fid}})
    copy.keep_metrics(found)
    assert copy.metrics["drawn"]["inception_fid"] == fid and list(copy.metrics["drawn"])[-1] == "inception_fid"
    newer = {"mean": 8.0, "values": [8.0]}
    copy.keep_metrics({**found, "drawn": {**found["drawn"], "inception_fid": newer}})
    assert copy.metrics["drawn"]["inception_fid"] == newer
    copy.keep_metrics({**found, "protocol": {**found["protocol"], "data_fingerprint": "?"}})
    assert "inception_fid" not in copy.metrics["drawn"]
    (copy.path / "metrics.json").write_text("damaged")
    copy.keep_metrics(found)
    assert copy.metrics == found


@pytest.mark.usefixtures("torchvision")
def test_the_inception_fid_is_the_distance_of_as_many_drawings(run, numbers):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed here (extra 'fid')")
    pytest.importorskip("torchmetrics", reason="torchmetrics is not installed here (extra 'fid')")

    class Means(torch.nn.Module):
        num_features = 8

        def forward(self, images):
            assert images.shape[1:] == (3, 28, 28) and images.dtype == torch.uint8
            return torch.nn.functional.avg_pool2d(images[:, :1].float(), (7, 14)).flatten(1)

    drawn = run.generate(np.arange(180) % 10, range(180))
    means = [images.reshape(180, 4, 7, 2, 14).mean(axis=(2, 4)).reshape(180, 8) for images in (numbers.x_test, drawn)]
    expected = measures.frechet_distance(*means)
    assert inception_fid(run, numbers.x_test, Means()) == pytest.approx(expected, rel=1e-4)


def test_a_missing_package_for_the_inception_fid_is_a_sentence(run, numbers, monkeypatch):
    monkeypatch.setitem(sys.modules, "torchmetrics.image.fid", None)
    with pytest.raises(CganError, match=r'pip install -e "\.\[fid\]"'):
        inception_fid(run, numbers.x_test)

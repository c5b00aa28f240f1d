"""That the whole machinery learns, and that what ships is as good as it says: no parts, only what comes out."""

import json

import numpy as np

from cgan_utils import Run, build, losses
from cgan_utils.backend import keras
from cgan_utils.models.gan import ConditionalGAN
from cgan_utils.models.sampling import draw
from cgan_utils.paths import shipped_folder
from cgan_utils.results.evaluator import Evaluator


def test_a_gan_learns_two_classes_of_grey():
    keras.utils.set_random_seed(0)
    random = np.random.RandomState(0)
    labels = np.tile([0, 1], 1600).astype("int32")  # 200 batches of 16
    levels = np.where(labels, 200, 50) + random.randint(-20, 21, len(labels))
    images = np.broadcast_to(levels[:, None, None, None], (len(labels), 8, 8, 1)).astype("uint8")
    gan = ConditionalGAN(*build("tiny", 2, (8, 8, 1)))
    gan.compile(losses.adversarial_loss(), *(keras.optimizers.Adam(2e-3, beta_1=0.5) for _ in range(2)))
    gan.fit(images, labels, batch_size=16, epochs=2, shuffle=False, verbose=0)
    dark, light = (draw(gan.averaged, [label] * 32, range(32)).mean() for label in (0, 1))
    assert light - dark > 75  # half of what sets the real classes apart
    assert dark < 125 < light


def test_a_shipped_run_scores_what_its_metrics_say():
    run, judge = Run("modelo_1_mnist_v2"), Evaluator("mnist")
    measured = json.loads((shipped_folder() / run.name / "metrics.json").read_text(encoding="utf-8"))
    digit = int(np.argmin(measured["by_class"]["class_accuracy"]))  # one digit, all its published drawings
    seeds = [10_000 * repeat + 1000 * digit + i for repeat in range(3) for i in range(1000)]
    _, chances = judge.look(run.generate(digit, seeds))
    taken_for = np.bincount(chances.argmax(axis=1), minlength=10)
    # Rounding differs from machine to machine, so a few drawings may be taken for another digit.
    assert np.abs(taken_for - measured["confusion"][digit]).sum() <= 4

#!/usr/bin/env bash
# Keras 3.15.1 (torch 2.13.0 as backend): with gradient_accumulation_steps=4 the learning-rate schedule and the
# moving average of the weights run four times too fast.
#
# Expected: four batches of 8 with gradient_accumulation_steps=4 train as one batch of 32 does: same steps, same
#           schedule, same EMA. optimizer.iterations counts so (10 after 40 batches), and the documentation says that
#           the EMA's overwriting goes by that count.
# Happens:  a schedule is read at the number of batches: a drop meant for after step 5 comes after step 2 (and a cosine
#           decay ends after a quarter of the training). The EMA is updated at each batch, also at the three at which
#           the weights stay: momentum 0.9 acts as 0.9**4 = 0.66. Nothing warns.
#
# Output seen (plain SGD on one weight, whose gradient is always 1; 10 steps):
#   accumulation None: iterations 10, steps of 1.0 1.0 1.0 1.0 1.0 0.1 0.1 0.1 0.1 0.1
#   accumulation 4:    iterations 10, steps of 1.0 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1
#   accumulation None: weight -9.0, EMA -3.49
#   accumulation 4:    weight -9.0, EMA -6.44
set -euo pipefail
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
python3 -m venv venv
venv/bin/pip install --quiet keras==3.15.1 torch==2.13.0 numpy==2.4.6

cat > compare.py <<'PY'
import keras


def train(accumulation, **options):
    """The weight before and after each of 10 steps, its variable and the optimizer."""
    variable = keras.Variable([1.0])
    optimizer = keras.optimizers.SGD(gradient_accumulation_steps=accumulation, **options)
    values = [1.0]
    for _ in range(10):
        for _ in range(accumulation or 1):
            optimizer.apply([keras.ops.ones((1,))], [variable])
        values.append(float(keras.ops.convert_to_numpy(variable)[0]))
    return values, variable, optimizer


for accumulation in None, 4:
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([4.5], [1.0, 0.1])
    values, variable, optimizer = train(accumulation, learning_rate=schedule)
    steps = " ".join(f"{before - after:.1f}" for before, after in zip(values, values[1:]))
    print(f"accumulation {accumulation}:".ljust(18), f"iterations {int(optimizer.iterations)}, steps of {steps}")
for accumulation in None, 4:
    values, variable, optimizer = train(accumulation, learning_rate=1.0, use_ema=True, ema_momentum=0.9)
    weight = values[-1]
    optimizer.finalize_variable_values([variable])
    ema = float(keras.ops.convert_to_numpy(variable)[0])
    print(f"accumulation {accumulation}:".ljust(18), f"weight {weight:.1f}, EMA {ema:.2f}")
PY
KERAS_BACKEND=torch KERAS_HOME=$folder venv/bin/python compare.py > seen.txt
cat seen.txt
diff seen.txt - <<'END'
accumulation None: iterations 10, steps of 1.0 1.0 1.0 1.0 1.0 0.1 0.1 0.1 0.1 0.1
accumulation 4:    iterations 10, steps of 1.0 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1 0.1
accumulation None: weight -9.0, EMA -3.49
accumulation 4:    weight -9.0, EMA -6.44
END

# SPDX-License-Identifier: Apache-2.0
"""Write the files in tests/parity/keras/: what Keras computes, for Spotter's layers and optimizers to be compared with.

    python3 tests/parity/make_keras_fixtures.py [--out DIR]        (needs tensorflow-cpu, which brings keras and numpy)

  seed-000.json ... seed-004.json   logits and parameter counts of the networks of the seeds (seed 002 gives no network)
  words.json                        the same for small networks, each pinning one word of Spotter's layer language
  training.json                     optimizer steps, batch norm in training, callbacks, loss with label smoothing

Nothing large is stored, because every weight and every image comes from a formula of its name and its index:

  hash(T, i) = splitmix64(fnv1a64(T) + i)              all in uint64, which wraps; T is ASCII, for example "conv_1.kernel"
  u(T, i)    = (hash(T, i) >> 11) * 2^-53              a double in [0, 1)
  fnv1a64    h = 0xcbf29ce484222325; for every byte: h ^= byte, h *= 0x100000001b3
  splitmix64 z = x + 0x9e3779b97f4a7c15; z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9; z = (z ^ z >> 27) * 0x94d049bb133111eb;
             z ^ z >> 31
  i          the index in Keras' own memory order: conv kernels are (height, width, in, out), dense kernels (in, out)

  kernel             (2u - 1) * sqrt(6 / (fan_in + fan_out))       fans as Keras counts them: height * width * channels
  bias               (2u - 1) * 0.1
  gamma              0.5 + u
  beta               (2u - 1) * 0.2
  moving_mean        (2u - 1) * 0.5
  moving_variance    0.5 + u
  images             hash("images", i) >> 56, a uint8 in (N, height, width, channels); the input is float32(uint8) / 255

Weights are computed in double and rounded once to float32. Tensors are named by layer kind and number, from 1, in order:
conv_1, conv_2, batchnorm_1, dense_1. "first" holds the first three values of each, so that a reader can check its formula.
Logits are the output before softmax. A float32 is written with the fewest digits that read back as the same float32.
"float64_difference" is how far the same computation in float64 is away at most: float32 arithmetic differs by that much
from one machine to the next, and a test should allow a few times as much.
"""
import argparse
import json
import os
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("CUDA_VISIBLE_DEVICES", "")
import keras
import numpy as np
import tensorflow as tf
from keras import layers as L

VERSIONS = {"keras": keras.__version__, "tensorflow": tf.__version__}


# ---- the formula ----------------------------------------------------------------------------------------------------
def fnv1a64(text):
    h = 0xCBF29CE484222325
    for byte in text.encode():
        h = ((h ^ byte) * 0x100000001B3) % 2**64
    return h


def splitmix64(x):
    z = x + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))


def hashes(name, count):
    return splitmix64(np.uint64(fnv1a64(name)) + np.arange(count, dtype=np.uint64))


def units(name, count):
    return (hashes(name, count) >> np.uint64(11)).astype(np.float64) * 2.0**-53


def fans(shape):
    taps = int(np.prod(shape[:-2]))
    return taps * shape[-2], taps * shape[-1]


def weight(name, shape):
    u = units(name, int(np.prod(shape)))
    kind = name.split(".")[1]
    if kind == "kernel":
        values = (2 * u - 1) * np.sqrt(6 / sum(fans(shape)))
    elif kind in ("gamma", "moving_variance"):
        values = 0.5 + u
    else:
        values = (2 * u - 1) * {"bias": 0.1, "beta": 0.2, "moving_mean": 0.5}[kind]
    return values.reshape(shape).astype(np.float32)


def images(shape):
    return (hashes("images", int(np.prod(shape))) >> np.uint64(56)).astype(np.uint8).reshape(shape)


# ---- writing --------------------------------------------------------------------------------------------------------
def plain(array):
    """An array as nested lists, each float32 as the shortest decimal that reads back as the same float32."""
    array = np.asarray(array)
    return [plain(a) for a in array] if array.ndim else float(str(array[()]))


def write(path, value):
    """One line for each entry of the outer list or object, and for each entry of a list of objects in it."""
    def many(entries, indent):
        return (",\n" + indent).join(entries)

    if isinstance(value, list):
        text = "[\n " + many([json.dumps(v) for v in value], " ") + "\n]\n"
    else:
        lines = []
        for key, v in value.items():
            listed = isinstance(v, list) and v and isinstance(v[0], (dict, list))
            body = "[\n  " + many([json.dumps(e) for e in v], "  ") + "\n ]" if listed else json.dumps(v)
            lines.append(json.dumps(key) + ": " + body)
        text = "{\n " + many(lines, " ") + "\n}\n"
    path.write_text(text)
    print(f"{path.name}: {path.stat().st_size} bytes")


# ---- networks -------------------------------------------------------------------------------------------------------
KINDS = {L.Conv2D: "conv", L.Dense: "dense", L.BatchNormalization: "batchnorm"}


def set_weights(model):
    """Give every weight its value by the formula; return what was given as [{name, shape, first}]."""
    numbers, record = {}, []
    for layer in model.layers:
        if not layer.weights:
            continue
        kind = KINDS[type(layer)]
        numbers[kind] = numbers.get(kind, 0) + 1
        for variable in layer.weights:
            name = f"{kind}_{numbers[kind]}.{variable.name}"
            value = weight(name, variable.shape)
            variable.assign(value)
            record.append({"name": name, "shape": list(variable.shape), "first": plain(value.ravel()[:3])})
    return record


def use(dtype):
    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)


def logits_of(make_layers, x, dtype):
    use(dtype)
    model = keras.Sequential([keras.Input(x.shape[1:], dtype=dtype)] + make_layers())
    tensors = set_weights(model)
    logits = keras.ops.convert_to_numpy(model(x.astype(dtype), training=False))
    use("float32")
    return model, tensors, logits


def network(name, text, shape, make_layers, count):
    """What Keras makes of `count` images in the network of `make_layers`, which `text` says in Spotter's language."""
    pixels = images((count, *shape))
    x = pixels.astype(np.float32) / np.float32(255)
    model, tensors, logits = logits_of(make_layers, x, "float32")
    _, _, exact = logits_of(make_layers, x, "float64")
    assert logits.dtype == np.float32 and exact.dtype == np.float64
    size = lambda weights: int(sum(np.prod(w.shape) for w in weights))
    parameters = {"total": model.count_params(), "trainable": size(model.trainable_weights),
                  "non_trainable": size(model.non_trainable_weights)}
    assert parameters["total"] == parameters["trainable"] + parameters["non_trainable"]
    return {"name": name, "layers": text, "input_shape": list(shape), "classes": logits.shape[1], "images": count,
            "first_pixels": pixels.ravel()[:6].tolist(), "parameters": parameters, "logits": plain(logits),
            "float64_difference": float(f"{np.abs(logits - exact).max():.2g}"), "tensors": tensors, **VERSIONS}


def conv(filters, padding="valid"):
    return L.Conv2D(filters, (3, 3), activation="relu", padding=padding)


def seed_003():
    layers = []
    for filters in (64, 128, 256):
        layers += [conv(filters, "same"), L.BatchNormalization(), L.MaxPooling2D((2, 2))]
    return layers + [L.Flatten(), L.Dense(256, "relu"), L.Dropout(.5), L.Dense(128, "relu"), L.Dropout(.5), L.Dense(10)]


SEEDS = [
    ("seed-000", "conv 32 same relu, conv 32 valid relu, maxpool 2, dropout 0.25, conv 64 same relu, conv 64 valid relu, "
                 "maxpool 2, dropout 0.25, flatten, dense 512 relu, dropout 0.5, dense classes",
     lambda: [conv(32, "same"), conv(32), L.MaxPooling2D(), L.Dropout(.25),
              conv(64, "same"), conv(64), L.MaxPooling2D(), L.Dropout(.25),
              L.Flatten(), L.Dense(512, "relu"), L.Dropout(.5), L.Dense(10)]),
    ("seed-001", "conv 32 valid relu, maxpool 2, conv 64 valid relu, conv 128 valid relu, maxpool 2, flatten, "
                 "dense 128 relu, dropout 0.25, dense classes",
     lambda: [conv(32), L.MaxPooling2D((2, 2)), conv(64), conv(128), L.MaxPooling2D((2, 2)), L.Flatten(),
              L.Dense(128, "relu"), L.Dropout(.25), L.Dense(10)]),
    ("seed-003", "conv 64 same relu, batchnorm, maxpool 2, conv 128 same relu, batchnorm, maxpool 2, "
                 "conv 256 same relu, batchnorm, maxpool 2, flatten, dense 256 relu, dropout 0.5, "
                 "dense 128 relu, dropout 0.5, dense classes",
     seed_003),
    ("seed-004", "conv 32 valid relu, maxpool 2, batchnorm, dropout 0.2, flatten, dense 512 relu, dropout 0.5, dense classes",
     lambda: [conv(32), L.MaxPool2D((2, 2)), L.BatchNormalization(), L.Dropout(.2), L.Flatten(),
              L.Dense(512, "relu"), L.Dropout(.5), L.Dense(10)]),
]

ODD, EVEN, MIXED = (15, 13, 3), (16, 16, 3), (16, 13, 3)  # height, width, channels


def flat(*layers):
    return [*layers, L.Flatten(), L.Dense(5)]


# Pools come after a convolution without an activation, so that a padding of 0 that counts as a maximum would show.
WORDS = [
    ("conv-defaults", "conv 6, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 3))),
    ("conv-same", "conv 6 same, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 3, padding="same"))),
    ("conv-5x3", "conv 6 5x3, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, (5, 3)))),
    ("conv-5x2-same", "conv 6 5x2 same, flatten, dense 5", MIXED, lambda: flat(L.Conv2D(6, (5, 2), padding="same"))),
    ("conv-1x1", "conv 6 1, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 1))),
    ("conv-4-same", "conv 6 4 same, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 4, padding="same"))),
    ("conv-stride-2-valid", "conv 6 3 stride 2, flatten, dense 5", MIXED, lambda: flat(L.Conv2D(6, 3, strides=2))),
    ("conv-stride-2-same-odd", "conv 6 3 same stride 2, flatten, dense 5", ODD,
     lambda: flat(L.Conv2D(6, 3, strides=2, padding="same"))),
    ("conv-stride-2-same-even", "conv 6 3 same stride 2, flatten, dense 5", EVEN,
     lambda: flat(L.Conv2D(6, 3, strides=2, padding="same"))),
    ("conv-stride-2-same-mixed", "conv 6 3 same stride 2, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 3, strides=2, padding="same"))),
    ("conv-1-stride-2-same", "conv 6 1 same stride 2, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 1, strides=2, padding="same"))),
    ("conv-stride-3-same", "conv 6 4 same stride 3, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 4, strides=3, padding="same"))),
    ("maxpool-2", "conv 6, maxpool 2, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 3), L.MaxPooling2D(2))),
    ("maxpool-3-stride-2", "conv 6, maxpool 3 stride 2, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 3), L.MaxPooling2D(3, strides=2))),
    ("maxpool-2-same", "conv 6, maxpool 2 same, flatten, dense 5", ODD,
     lambda: flat(L.Conv2D(6, 3), L.MaxPooling2D(2, padding="same"))),
    ("maxpool-3-stride-2-same", "conv 6, maxpool 3 stride 2 same, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 3), L.MaxPooling2D(3, strides=2, padding="same"))),
    ("avgpool-2", "conv 6, avgpool 2, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 3), L.AveragePooling2D(2))),
    ("avgpool-3-stride-2", "conv 6, avgpool 3 stride 2, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 3), L.AveragePooling2D(3, strides=2))),
    ("avgpool-3-stride-1-same", "conv 6, avgpool 3 stride 1 same, flatten, dense 5", ODD,
     lambda: flat(L.Conv2D(6, 3), L.AveragePooling2D(3, strides=1, padding="same"))),
    ("avgpool-3-stride-2-same", "conv 6, avgpool 3 stride 2 same, flatten, dense 5", MIXED,
     lambda: flat(L.Conv2D(6, 3), L.AveragePooling2D(3, strides=2, padding="same"))),
    ("globalavgpool", "conv 6, globalavgpool, dense 5", ODD,
     lambda: [L.Conv2D(6, 3), L.GlobalAveragePooling2D(), L.Dense(5)]),
    ("globalmaxpool", "conv 6, globalmaxpool, dense 5", ODD,
     lambda: [L.Conv2D(6, 3), L.GlobalMaxPooling2D(), L.Dense(5)]),
    ("batchnorm-map", "conv 6, batchnorm, relu, flatten, dense 5", ODD,
     lambda: flat(L.Conv2D(6, 3), L.BatchNormalization(), L.Activation("relu"))),
    ("batchnorm-vector", "flatten, dense 8, batchnorm, relu, dense 5", ODD,
     lambda: [L.Flatten(), L.Dense(8), L.BatchNormalization(), L.Activation("relu"), L.Dense(5)]),
    ("dropout", "conv 6, dropout 0.5, flatten, dense 5", ODD, lambda: flat(L.Conv2D(6, 3), L.Dropout(.5))),
    # The layer LeakyReLU has slope 0.3; the activation that Keras calls "leaky_relu" has 0.2. The word is the layer.
    ("leakyrelu", "conv 6, leakyrelu, flatten, dense 8, leakyrelu, dense 5", ODD,
     lambda: [L.Conv2D(6, 3), L.LeakyReLU(), L.Flatten(), L.Dense(8), L.LeakyReLU(), L.Dense(5)]),
]


def activation_word(word, activation):
    """As a layer of its own after a convolution, and as the last word of a dense and of a conv."""
    return (word, f"conv 6, {word}, conv 6 {word}, flatten, dense 8 {word}, dense 5", ODD,
            lambda: [L.Conv2D(6, 3), L.Activation(activation), L.Conv2D(6, 3, activation=activation), L.Flatten(),
                     L.Dense(8, activation), L.Dense(5)])


def exact_gelu(x):
    return keras.activations.gelu(x, approximate=False)


WORDS += [activation_word(w, w) for w in ("relu", "elu", "silu", "tanh", "sigmoid")] + [activation_word("gelu", exact_gelu)]


# ---- training -------------------------------------------------------------------------------------------------------
WEIGHTS = [0.5, -0.3, 0.1, -0.8, 1.2, 0.05]
# The fifth is as small as epsilon, so that the place of epsilon shows; the fourth is 0, so that only weight decay moves it.
GRADIENTS = [[0.1, -0.2, 0.03, 0, 1e-6, 5],
             [0.3, 0.1, -0.02, 0, 2e-6, -3],
             [-0.2, 0.4, 0.01, 0, -1e-6, 0.5],
             [0.05, -0.1, 0.04, 0, 1e-7, 0],
             [0.15, 0.25, -0.03, 0, 3e-6, -0.01]]


def optimizer_steps(name, settings, make, learning_rates=None):
    """The weights after each step, in float32, with the difference from the same in float64."""
    def steps(dtype):
        use(dtype)
        variable, optimizer, after = keras.Variable(np.array(WEIGHTS, dtype), dtype=dtype, name="w"), make(), []
        for i, gradient in enumerate(GRADIENTS):
            if learning_rates:
                optimizer.learning_rate = learning_rates[i]
            optimizer.apply([keras.ops.convert_to_tensor(np.array(gradient, dtype))], [variable])
            after.append(keras.ops.convert_to_numpy(variable.value).copy())
        use("float32")
        return np.array(after)

    after, exact = steps("float32"), steps("float64")
    record = {"name": name, **settings}
    if learning_rates:
        record["learning_rates"] = learning_rates
    return {**record, "after": plain(after), "float64_difference": float(f"{np.abs(after - exact).max():.2g}")}


def optimizers():
    o = keras.optimizers
    nesterov = lambda: o.SGD(0.1, momentum=0.9, nesterov=True)
    adam = {"learning_rate": 1e-2, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
    sgd = {"learning_rate": 0.1, "momentum": 0.9}
    return [
        optimizer_steps("adam", adam, lambda: o.Adam(1e-2, epsilon=1e-7)),
        optimizer_steps("adamw", {**adam, "weight_decay": 0.1}, lambda: o.AdamW(1e-2, weight_decay=0.1, epsilon=1e-7)),
        optimizer_steps("sgd-nesterov", {**sgd, "nesterov": True}, nesterov),
        optimizer_steps("sgd-momentum", {**sgd, "nesterov": False}, lambda: o.SGD(0.1, momentum=0.9)),
        optimizer_steps("sgd-nesterov-drop", {**sgd, "nesterov": True}, nesterov, [0.1, 0.1, 0.05, 0.05, 0.05]),
    ]


def batchnorm_step():
    """One training batch. The input is 4u("batchnorm_input", i) - 1."""
    shape = (4, 3, 3, 2)
    x = (4 * units("batchnorm_input", int(np.prod(shape))) - 1).reshape(shape).astype(np.float32)
    layer = L.BatchNormalization(epsilon=1e-3, momentum=0.99)
    layer.build(shape)
    before = {}
    for variable in layer.weights:
        variable.assign(weight("batchnorm_1." + variable.name, variable.shape))
        before[variable.name] = plain(keras.ops.convert_to_numpy(variable.value))
    y = keras.ops.convert_to_numpy(layer(x, training=True))
    mean, variance = (keras.ops.convert_to_numpy(v.value) for v in (layer.moving_mean, layer.moving_variance))
    # Which variance moved into the average: the biased one (divided by n) or the unbiased one (by n - 1)?
    count = x.size // shape[-1]
    moved = lambda batch_variance: 0.99 * np.array(before["moving_variance"]) + 0.01 * batch_variance
    biased, unbiased = (np.abs(moved(x.var((0, 1, 2), np.float64, ddof=d)) - variance).max() for d in (0, 1))
    assert min(biased, unbiased) < 1e-6 < max(biased, unbiased)
    return {"input_shape": list(shape), "epsilon": 1e-3, "momentum": 0.99, "first_inputs": plain(x.ravel()[:3]),
            "weights": before, "output": plain(y.ravel()), "moving_mean": plain(mean), "moving_variance": plain(variance),
            "values_per_channel": count, "moving_variance_divides_by": "n" if biased < unbiased else "n - 1"}


class Stub:
    """As much of a model as a callback touches; its one weight is the number of the epoch that has just ended, from 1."""

    def __init__(self, learning_rate=1e-3):
        self.optimizer = keras.optimizers.SGD(learning_rate)
        self.stop_training = False
        self.weights = [np.array(0)]

    def get_weights(self):
        return [w.copy() for w in self.weights]

    def set_weights(self, weights):
        self.weights = [w.copy() for w in weights]


def plateau(start, losses, **settings):
    """The learning rate after each epoch, which is that of the next one."""
    callback, model, rates = keras.callbacks.ReduceLROnPlateau("val_loss", mode="min", **settings), Stub(start), []
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        callback.on_epoch_end(epoch, {"val_loss": loss})
        rates.append(np.float32(model.optimizer.learning_rate))
    return {"learning_rate": start, **settings, "val_losses": losses, "after": plain(rates)}


def early_stop(losses, **settings):
    """Epochs are numbered from 1. stopped_epoch is null when the losses ran out first."""
    callback, model = keras.callbacks.EarlyStopping("val_loss", mode="min", **settings), Stub()
    callback.set_model(model)
    callback.on_train_begin()
    for epoch, loss in enumerate(losses):
        model.weights = [np.array(epoch + 1)]
        callback.on_epoch_end(epoch, {"val_loss": loss})
        if model.stop_training:
            break
    callback.on_train_end()
    return {**settings, "val_losses": losses, "epochs_run": epoch + 1,
            "stopped_epoch": callback.stopped_epoch + 1 if model.stop_training else None,
            "best_epoch": callback.best_epoch + 1, "weights_of_epoch": int(model.weights[0])}


def losses():
    logits = np.array([[2, -1, 0.5, 0], [0, 0, 0, 0], [-3, 4, 1, 2.5], [30, -20, 5, 0]], np.float32)
    labels = [0, 3, 2, 1]
    def one(smoothing):
        targets = np.eye(4, dtype=np.float32)[labels]
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, label_smoothing=smoothing, reduction="none")
        each = keras.ops.convert_to_numpy(loss(targets, logits))
        return {"label_smoothing": smoothing, "logits": plain(logits), "labels": labels, "each": plain(each),
                "mean": plain(each.mean())}
    return [one(0.0), one(0.1)]


def training():
    slow = [1.0, 0.9, 0.9, 0.89995, 0.8998, 0.95, 0.8997, 0.8996, 0.7, 0.71, 0.72, 0.73]
    return {
        **VERSIONS,
        "weights": WEIGHTS,
        "gradients": GRADIENTS,
        "optimizers": optimizers(),
        "batchnorm": batchnorm_step(),
        "reduce_on_plateau": [
            plateau(4e-5, slow, factor=0.5, patience=2, min_delta=1e-4, cooldown=0, min_lr=1e-5),
            plateau(1e-3, [1.0] * 12, factor=0.5, patience=2, min_delta=1e-4, cooldown=0, min_lr=1e-5),
            plateau(1e-3, [1.0] * 12, factor=0.5, patience=2, min_delta=1e-4, cooldown=2, min_lr=1e-5),
        ],
        "early_stopping": [
            early_stop([1.0, 0.8, 0.9, 0.7, 0.75, 0.7, 0.71, 0.6], patience=3, restore_best_weights=True),
            early_stop([1.0, 0.8, 0.9, 0.85, 0.79, 0.78, 0.8, 0.9], patience=3, restore_best_weights=True),
            early_stop([1.0, 1.1, 1.2, 1.3, 0.5], patience=3, restore_best_weights=True),
            early_stop([1.0, 0.8, 0.9, 0.7, 0.75, 0.7, 0.71, 0.6], patience=3, restore_best_weights=False),
        ],
        "cross_entropy": losses(),
    }


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "keras")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)
    for name, text, make_layers in SEEDS:
        write(out / (name + ".json"), network(name, text, (32, 32, 3), make_layers, count=4))
    write(out / "words.json", [network(*word, count=2) for word in WORDS])
    write(out / "training.json", training())


if __name__ == "__main__":
    main()

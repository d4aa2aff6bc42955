# SPDX-License-Identifier: Apache-2.0
"""The peer in Keras/TensorFlow: the networks of the seeds as their files give them (seed 002 gives none).
Prints images/s and accuracy per epoch.

python3 keras_peer.py --data DIR --models seed001,seed003 --batch 64 --epochs 1      (needs tensorflow-cpu, numpy, pillow)
"""
import argparse
import json
import os
import time

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers as L

from cifar_files import load


def conv(filters, padding="valid"):
    return L.Conv2D(filters, (3, 3), activation="relu", padding=padding)


def seed003():
    layers = []
    for filters in (64, 128, 256):
        layers += [conv(filters, "same"), L.BatchNormalization(), L.MaxPooling2D()]
    return layers + [L.Flatten(), L.Dense(256, "relu"), L.Dropout(.5), L.Dense(128, "relu"), L.Dropout(.5), L.Dense(10, "softmax")]


MODELS = {
    "seed000": lambda: [conv(32, "same"), conv(32), L.MaxPooling2D(), L.Dropout(.25), conv(64, "same"), conv(64), L.MaxPooling2D(), L.Dropout(.25),
                        L.Flatten(), L.Dense(512, "relu"), L.Dropout(.5), L.Dense(10, "softmax")],
    "seed001": lambda: [conv(32), L.MaxPooling2D(), conv(64), conv(128), L.MaxPooling2D(), L.Flatten(), L.Dense(128, "relu"), L.Dropout(.25),
                        L.Dense(10, "softmax")],
    "seed003": seed003,
    "seed004": lambda: [conv(32), L.MaxPooling2D(), L.BatchNormalization(), L.Dropout(.2), L.Flatten(), L.Dense(512, "relu"), L.Dropout(.5),
                        L.Dense(10, "softmax")],
}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--data", default="cifar10-jpeg")
    p.add_argument("--models", default=",".join(MODELS))
    p.add_argument("--batch", type=int, default=64)
    p.add_argument("--epochs", type=int, default=1)
    args = p.parse_args()
    xt, yt, xe, ye, _ = load(args.data)
    order = np.random.RandomState(0).permutation(len(xt))
    xt, yt, xe = xt[order].astype("float32") / 255, yt[order], xe.astype("float32") / 255
    for name in args.models.split(","):
        model = keras.Sequential([keras.Input((32, 32, 3))] + MODELS[name]())
        model.compile(keras.optimizers.Adam(1e-3), "sparse_categorical_crossentropy", metrics=["accuracy"])
        model.fit(xt[:2048], yt[:2048], batch_size=args.batch, verbose=0)
        for epoch in range(args.epochs):
            t = time.time()
            h = model.fit(xt, yt, batch_size=args.batch, verbose=0)
            t = time.time() - t
            test = model.evaluate(xe, ye, batch_size=500, verbose=0)[1]
            print(json.dumps(dict(peer="keras " + keras.__version__, model=name, parameters=model.count_params(), batch=args.batch, epoch=epoch,
                                  seconds=round(t, 1), images_per_second=round(len(xt) / t), train_accuracy=h.history["accuracy"][-1],
                                  test_accuracy=test)), flush=True)


if __name__ == "__main__":
    main()

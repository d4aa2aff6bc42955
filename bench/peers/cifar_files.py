# SPDX-License-Identifier: Apache-2.0
"""Read an image folder (train/CLASS/*.jpg, test/CLASS/*.jpg) into arrays, once, and cache them as one .npz beside it."""
import os
from pathlib import Path

import numpy as np
from PIL import Image


def load(root):
    """Return train images (N,32,32,3) uint8, train labels (N,), test images, test labels, class names."""
    root = Path(root)
    cache = root.with_suffix(".npz")
    classes = sorted(p.name for p in (root / "train").iterdir())
    if not cache.exists():
        arrays = {}
        for split in ("train", "test"):
            files = [(f, i) for i, c in enumerate(classes) for f in sorted((root / split / c).glob("*.*"))]
            arrays[split + "_x"] = np.stack([np.asarray(Image.open(f).convert("RGB")) for f, _ in files])
            arrays[split + "_y"] = np.array([i for _, i in files], dtype=np.int64)
        np.savez(cache, **arrays)
    a = np.load(cache)
    return a["train_x"], a["train_y"], a["test_x"], a["test_y"], classes


def main_data_dir():
    return os.environ.get("CIFAR10_DIR", "cifar10-jpeg")

# SPDX-License-Identifier: Apache-2.0
"""Runs an exported ONNX model in onnxruntime on image files and compares with what `spotter predict --json` says of them.

    python3 check_onnx.py MODEL.onnx PREDICTIONS.json [--same SHARE]

The onnx package's checker must accept the file. Images are decoded with Pillow and given as they are, alone or with others of
their size. Both must find the same class for every image, and logarithms of probabilities within 1e-4: of equal logits they are
equal. With --same, for int8, it is enough that the classes are the same for this share of the images. Prints one JSON object.
"""
import json
import sys
from collections import defaultdict

import numpy as np
import onnx
import onnxruntime
from PIL import Image

BATCH = 250


def read(file, channels):
    image = Image.open(file)
    if channels == 1:
        return np.asarray(image.convert("L"))[:, :, None]
    return np.asarray(image.convert("RGB"))


def main():
    path, predictions = sys.argv[1], json.load(open(sys.argv[2]))
    share = float(sys.argv[4]) if sys.argv[3:4] == ["--same"] else None
    model = onnx.load(path)
    onnx.checker.check_model(model, full_check=True)
    classes = json.loads({entry.key: entry.value for entry in model.metadata_props}["classes"])
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    channels = session.get_inputs()[0].shape[3]
    by_shape = defaultdict(list)
    for entry in predictions:
        image = read(entry["file"], channels)
        by_shape[image.shape].append((image, entry["predictions"]))
    same, largest = 0, 0.0
    for images in by_shape.values():
        for begin in range(0, len(images), BATCH):
            some = images[begin:begin + BATCH]
            probabilities, labels, logits = session.run(["probabilities", "label", "logits"],
                                                        {"image": np.stack([image for image, _ in some])})
            assert probabilities.shape == logits.shape == (len(some), len(classes))
            assert np.allclose(probabilities.sum(1), 1, atol=1e-5)
            assert [classes[i] for i in logits.argmax(1)] == list(labels)
            for row, label, (_, expected) in zip(probabilities, labels, some):
                same += expected[0]["class"] == label
                for entry in expected:
                    p = row[classes.index(entry["class"])]
                    if min(p, entry["probability"]) > 1e-6:
                        largest = max(largest, abs(np.log(p) - np.log(entry["probability"])))
    print(json.dumps({"images": len(predictions), "same": same, "largest": float(largest)}))
    if share is not None:
        assert same >= share * len(predictions), f"the same class for only {same} of {len(predictions)} images"
        return
    assert same == len(predictions), f"another class for {len(predictions) - same} of {len(predictions)} images"
    assert largest < 1e-4, f"logits differ by {largest}"


main()

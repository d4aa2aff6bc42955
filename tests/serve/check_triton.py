# SPDX-License-Identifier: Apache-2.0
"""Triton's own client, unchanged, beside onnxruntime on the exported file.

    check_triton.py SPOTTER RUN ONNX PICTURES
"""
import pathlib
import sys

import numpy as np
import onnxruntime
import tritonclient.http as triton
from PIL import Image
from tritonclient.utils import InferenceServerException

from service import Service, beside_others, pictures

spotter, run, onnx, folder = sys.argv[1:]
files = pictures(folder)[:9]
pixels = np.stack([np.asarray(Image.open(f).convert("RGB")) for f in files])
session = onnxruntime.InferenceSession(onnx)
probabilities, labels, logits = session.run(["probabilities", "label", "logits"], {"image": pixels})
name = pathlib.Path(run).name


def pixel_input(binary):
    tensor = triton.InferInput("image", list(pixels.shape), "UINT8")
    tensor.set_data_from_numpy(pixels, binary_data=binary)
    return tensor


with Service(spotter, run) as service:
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}")
    assert client.is_server_live() and client.is_server_ready() and client.is_model_ready(name) and client.is_model_ready(name, "1")
    assert not client.is_model_ready("other")
    assert client.get_server_metadata()["name"] == "spotter"
    metadata = client.get_model_metadata(name)
    assert [(t["name"], t["datatype"]) for t in metadata["inputs"]] == [("image", "UINT8"), ("encoded_image", "BYTES")], metadata
    assert client.get_model_config(name)["name"] == name
    assert client.get_model_repository_index()[0]["name"] == name

    # Precision: the service computes in bf16 where the machine has it.
    def close(found, expected):
        assert found.shape == expected.shape
        assert np.abs(found - expected).max() < 0.05 * max(1, np.abs(expected).max()), np.abs(found - expected).max()

    for binary in (True, False):
        outputs = [triton.InferRequestedOutput(n, binary_data=binary) for n in ("logits", "probabilities", "label")]
        answer = client.infer(name, [pixel_input(binary)], outputs=outputs, request_id="seven")
        assert answer.get_response()["id"] == "seven"
        close(answer.as_numpy("logits"), logits)
        close(answer.as_numpy("probabilities"), probabilities)
        found = [t.decode() if isinstance(t, bytes) else t for t in answer.as_numpy("label")]
        sure = np.sort(probabilities, 1)[:, -1] - np.sort(probabilities, 1)[:, -2] > 0.05
        assert [f for f, s in zip(found, sure) if s] == [l for l, s in zip(labels, sure) if s], (found, labels)
    assert client.infer(name, [pixel_input(True)]).as_numpy("logits").shape == logits.shape, "without outputs: all"

    encoded = np.array([f.read_bytes() for f in files], dtype=object)
    tensor = triton.InferInput("encoded_image", [len(files)], "BYTES")
    tensor.set_data_from_numpy(encoded)
    by_files = client.infer(name, [tensor]).as_numpy("logits")
    by_pixels = client.infer(name, [pixel_input(True)]).as_numpy("logits")
    assert np.abs(by_pixels - by_files).max() <= beside_others() * max(1, np.abs(by_files).max()), "the same pixels"

    best = client.infer(name, [tensor], outputs=[triton.InferRequestedOutput("probabilities", class_count=2)]).as_numpy("probabilities")
    assert best.shape == (len(files), 2)
    value, index, label = best[0][0].decode().split(":", 2)
    assert abs(float(value) - probabilities[0].max()) < 0.05 and 0 <= int(index) < probabilities.shape[1] and label

    requests = [client.async_infer(name, [pixel_input(True)]) for _ in range(20)]
    together = [r.get_result().as_numpy("logits") for r in requests]
    assert all(np.abs(found - by_files).max() <= beside_others() * max(1, np.abs(by_files).max()) for found in together)

    wrong = triton.InferInput("image", [1, 2], "FP32")
    wrong.set_data_from_numpy(np.zeros((1, 2), np.float32))
    for model, version, inputs in ((name, "", [wrong]), ("other", "", [tensor]), (name, "7", [tensor]), (name, "", [tensor, tensor])):
        try:
            client.infer(model, inputs, model_version=version)
            raise AssertionError((model, version))
        except InferenceServerException as error:
            assert str(error) and "\n" not in str(error), error
    client.close()

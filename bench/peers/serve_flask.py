# SPDX-License-Identifier: Apache-2.0
"""Flask and the same network in PyTorch as a service: POST an image file to /predict. Run by gunicorn, one process a core, each
computing with one thread. The network is read from Spotter's own model file; the layers of the seeds' recipes are known.

    SPOTTER_MODEL=model.safetensors gunicorn --workers 2 --chdir bench/peers serve_flask:app
"""
import io
import json
import os

import numpy
import torch
from flask import Flask, jsonify, request
from PIL import Image
from safetensors import safe_open

torch.set_num_threads(1)


class KerasFlatten(torch.nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


def build(path):
    with safe_open(path, "pt") as file:
        about = json.loads(file.metadata()["spotter"])
        tensors = {name: file.get_tensor(name) for name in file.keys()}
    layers, counts = [], {}
    for text in about["layers"].split(","):
        word, *rest = text.split()
        counts[word] = counts.get(word, 0) + 1
        name = f"{word}_{counts[word]}"
        if word == "conv":
            weight = tensors[name + ".weight"]
            layer = torch.nn.Conv2d(weight.shape[1], weight.shape[0], weight.shape[2], padding="same" if "same" in rest else 0)
        elif word == "dense":
            weight = tensors[name + ".weight"]
            layer = torch.nn.Linear(weight.shape[1], weight.shape[0])
        elif word == "batchnorm":
            kind = torch.nn.BatchNorm2d if tensors[name + ".bias"].dim() == 1 and not any(isinstance(l, KerasFlatten) for l in layers) else torch.nn.BatchNorm1d
            layer = kind(len(tensors[name + ".bias"]), eps=1e-3)
        else:
            layer = {"maxpool": lambda: torch.nn.MaxPool2d(int(rest[0])), "flatten": KerasFlatten, "dropout": torch.nn.Identity, "relu": torch.nn.ReLU}[word]()
        state = {key.split(".", 1)[1]: value for key, value in tensors.items() if key.startswith(name + ".")}
        layer.load_state_dict(state, strict=False)
        layers.append(layer)
        if "relu" in rest:
            layers.append(torch.nn.ReLU())
    return torch.nn.Sequential(*layers).eval(), about


model, about = build(os.environ["SPOTTER_MODEL"])
mean, std = (torch.tensor(about["preprocessing"][k]).view(1, -1, 1, 1) for k in ("mean", "std"))
app = Flask(__name__)


@app.post("/predict")
def predict():
    image = numpy.array(Image.open(io.BytesIO(request.get_data())).convert("RGB"))
    with torch.inference_mode():
        x = (torch.from_numpy(image).permute(2, 0, 1)[None].float() / 255 - mean) / std
        probabilities, top = (model(x) / about.get("temperature", 1)).softmax(1)[0].topk(5)
    return jsonify(top=[{"class": about["classes"][i], "probability": p} for p, i in zip(probabilities.tolist(), top.tolist())])

# SPDX-License-Identifier: Apache-2.0
"""Write tests/parity/pytorch/heat_maps.json: class activation heat maps as PyTorch computes them, for Spotter's.

    python3 tests/parity/make_heat_maps_fixture.py [--out FILE]        (needs torch, and tensorflow-cpu for the formula)

Weights and images come from the formula of make_keras_fixtures.py, so that they need not be stored; the
input is float32(uint8) / 255. HiResCAM (Draelos and Carin 2020): relu(sum over channels of gradient * feature); Grad-CAM
(Selvaraju et al. 2017): the gradient replaced by its mean over the map. Features are the last convolution's output after
its ReLU. The map is enlarged bilinearly (half-pixel centres) and divided by its maximum; all in double.
"""
import argparse
import json
from pathlib import Path

import numpy as np
import torch
from make_keras_fixtures import images, weight
from torch import nn

CLASSES = 3
CASES = [
    # name, layers in Spotter's language, height, width, the parts before and after the features
    ("like seed-001",
     "conv 6 valid relu, maxpool 2, conv 8 valid relu, conv 10 valid relu, maxpool 2, flatten, dense 12 relu, "
     "dropout 0.25, dense classes", 20, 18,
     [("conv", 6, 0), "relu", "pool", ("conv", 8, 0), "relu", ("conv", 10, 0), "relu"],
     ["pool", "flatten", ("dense", 12), "relu", ("dense", CLASSES)]),
    ("batch norm and same padding",
     "conv 6 same relu, batchnorm, maxpool 2, conv 8 same relu, batchnorm, maxpool 2, flatten, dense 12 relu, "
     "dropout 0.5, dense classes", 13, 16,
     [("conv", 6, 1), "relu", "batchnorm", "pool", ("conv", 8, 1), "relu"],
     ["batchnorm", "pool", "flatten", ("dense", 12), "relu", ("dense", CLASSES)]),
]


class FlattenLastChannel(nn.Module):
    def forward(self, x):
        return x.permute(0, 2, 3, 1).flatten(1)


class Builder:
    """Makes PyTorch's modules with the formula's weights; knows the shape that it has come to."""

    def __init__(self, height, width):
        self.channels, self.counts = 3, {"conv": 0, "dense": 0, "batchnorm": 0}
        self.x = torch.zeros(1, 3, height, width, dtype=torch.double)

    def tensor(self, kind, what, shape):
        return torch.tensor(weight(f"{kind}_{self.counts[kind]}.{what}", shape)).double()

    def make(self, part):
        kind, *arguments = part if isinstance(part, tuple) else (part,)
        inputs = self.x.shape[1]
        if kind in self.counts:
            self.counts[kind] += 1
        if kind == "conv":
            filters, padding = arguments
            module = nn.Conv2d(inputs, filters, 3, padding=padding).double()
            state = {"weight": self.tensor(kind, "kernel", (3, 3, inputs, filters)).permute(3, 2, 0, 1),
                     "bias": self.tensor(kind, "bias", (filters,))}
        elif kind == "dense":
            module = nn.Linear(inputs, arguments[0]).double()
            state = {"weight": self.tensor(kind, "kernel", (inputs, arguments[0])).T,
                     "bias": self.tensor(kind, "bias", (arguments[0],))}
        elif kind == "batchnorm":
            module = nn.BatchNorm2d(inputs, eps=1e-3).double()
            keras = {"weight": "gamma", "bias": "beta", "running_mean": "moving_mean", "running_var": "moving_variance"}
            state = {name: self.tensor(kind, there, (inputs,)) for name, there in keras.items()}
        else:
            module = {"relu": nn.ReLU, "pool": lambda: nn.MaxPool2d(2), "flatten": FlattenLastChannel}[kind]()
            state = {}
        module.load_state_dict(state, strict=False)
        module.eval()
        self.x = module(self.x)
        return module


def heat(features, gradients, method, size):
    weights = gradients.mean((1, 2), keepdim=True) if method == "grad_cam" else gradients
    small = torch.relu((weights * features).sum(0))
    large = nn.functional.interpolate(small[None, None], size=size, mode="bilinear", align_corners=False)[0, 0]
    return large / large.max() if large.max() > 0 else large


def case(name, layers, height, width, before, after):
    builder = Builder(height, width)
    to_features = nn.Sequential(*[builder.make(p) for p in before])
    to_logits = nn.Sequential(*[builder.make(p) for p in after])
    batch = torch.tensor(images((2, height, width, 3))).double() / 255
    maps = []
    for image in range(2):
        for target in range(CLASSES):
            features = to_features(batch[image].permute(2, 0, 1)[None])
            logit = to_logits(features)[0, target]
            gradients, = torch.autograd.grad(logit, features)
            entry = {"image": image, "target": target}
            for method in ("hirescam", "grad_cam"):
                values = heat(features[0], gradients[0], method, (height, width)).detach().numpy()
                entry[method] = np.round(values, 5).flatten().tolist()
            maps.append(entry)
    return {"name": name, "layers": layers, "height": height, "width": width, "classes": CLASSES, "maps": maps}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pytorch" / "heat_maps.json")
    out = parser.parse_args().out
    body = ",\n ".join(json.dumps(case(*c)) for c in CASES)
    out.write_text('{\n"torch": "%s",\n"cases": [\n %s\n]\n}\n' % (torch.__version__, body))
    print(f"{out.name}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

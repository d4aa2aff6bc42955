# SPDX-License-Identifier: Apache-2.0
"""Write tests/parity/pytorch/speed.json: the parts of the airbench recipes as PyTorch computes them, for Spotter's.

    python3 tests/parity/make_speed_fixture.py [--out FILE]        (needs torch, and tensorflow-cpu for the formula)

  forward        logits of the networks speed, speed-95 and speed-96, times the inverse of their last factor
  six_views      the same of speed by six views of each image
  whitening      W^T W of the whitening rows of 2 x 2 patches, by torch.linalg.eigh
  orthogonalise  three Newton-Schulz steps, in fp32 and in bf16
  training       a few steps of a small network by Muon, and by SGD with Lookahead: the loss is summed over the batch and
                 the rates are the sum's; the losses, and of each tensor afterwards its first values and a projection

Weights and images come from the formula of make_keras_fixtures.py; the input is float32(uint8) / 255 but for training,
where it is (that - 0.5) / 0.25. A projection is the sum of value[i] * (2 u("probe", i) - 1) over a tensor in its own
row-major order. For forward and six_views the input is multiplied by 1 + column / 4 + row / 8, so that a mirrored or moved
image is another one. The networks, Muon and Lookahead are written out here after github.com/KellerJordan/cifar10-airbench.
"""
import argparse
import json
import math
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from make_keras_fixtures import images, units, weight
from torch import nn

torch.set_num_threads(2)


# ---- networks -------------------------------------------------------------------------------------------------------
def norm(channels, momentum):
    bn = nn.BatchNorm2d(channels, eps=1e-12, momentum=momentum)
    bn.weight.requires_grad = False
    return bn


def conv(cin, cout):
    return nn.Conv2d(cin, cout, 3, padding=1, bias=False)


class Group(nn.Module):
    def __init__(self, cin, cout, momentum, residual):
        super().__init__()
        self.conv1, self.norm1, self.conv2, self.norm2 = conv(cin, cout), norm(cout, momentum), conv(cout, cout), norm(cout, momentum)
        if residual:
            self.conv3, self.norm3 = conv(cout, cout), norm(cout, momentum)
        self.residual = residual

    def forward(self, x):
        x = F.gelu(self.norm1(F.max_pool2d(self.conv1(x), 2)))
        before = x
        x = F.gelu(self.norm2(self.conv2(x)))
        return F.gelu(self.norm3(self.conv3(x)) + before) if self.residual else x


class SpeedNet(nn.Module):
    def __init__(self, widths, factor, momentum=0.4, residual=False, pool=3, classes=10):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        steps = zip([24] + widths, widths)
        self.groups = nn.Sequential(*[Group(i, o, momentum, residual) for i, o in steps], nn.MaxPool2d(pool))
        self.head = nn.Linear(widths[-1], classes, bias=False)
        self.factor = factor
        self.fill()

    def forward(self, x, train_whitening_bias=True):
        bias = self.whiten.bias if train_whitening_bias else self.whiten.bias.detach()
        x = F.gelu(F.conv2d(x, self.whiten.weight, bias))
        return self.head(self.groups(x).flatten(1)) * self.factor

    @torch.no_grad()
    def fill(self):
        """The formula's weights; self.tensors has Spotter's names for them."""
        counts, self.tensors = {}, {}

        def put(name, kind, tensor, transpose=None):
            shape = [tensor.shape[a] for a in np.argsort(transpose)] if transpose else list(tensor.shape)
            value = torch.tensor(weight(kind, shape))
            tensor.copy_(value.permute(transpose) if transpose else value)
            self.tensors[name] = tensor

        for module in self.modules():
            word = {nn.Conv2d: "conv", nn.BatchNorm2d: "batchnorm", nn.Linear: "dense"}.get(type(module))
            if word is None:
                continue
            counts[word] = counts.get(word, 0) + 1
            layer = f"{word}_{counts[word]}"
            if word == "batchnorm":
                put(layer + ".bias", layer + ".beta", module.bias)
                put(layer + ".running_mean", layer + ".moving_mean", module.running_mean)
                put(layer + ".running_var", layer + ".moving_variance", module.running_var)
            else:
                put(layer + ".weight", layer + ".kernel", module.weight, (3, 2, 0, 1) if word == "conv" else (1, 0))
                if module.bias is not None:
                    put(layer + ".bias", layer + ".bias", module.bias)


def speed():
    return SpeedNet([64, 256, 256], 1 / 256)


def six_view_logits(net, x):
    both = lambda v: (net(v) + net(v.flip(-1))) / 2
    padded = F.pad(x, (1,) * 4, "reflect")
    return both(x) / 2 + both(padded[:, :, :32, :32]) / 4 + both(padded[:, :, 2:34, 2:34]) / 4


def nchw(shape):
    return torch.tensor(images(shape)).permute(0, 3, 1, 2).float() / 255


def sloped(shape):
    return nchw(shape) * (1 + torch.arange(shape[2]) / 4 + torch.arange(shape[1])[:, None] / 8)


@torch.no_grad()
def forward():
    nets = {"speed": speed(), "speed-95": SpeedNet([128, 384, 384], 1 / 9),
            "speed-96": SpeedNet([128, 384, 512], 1 / 9, momentum=0.1, residual=True)}
    return [{"name": name, "factor": 1 / net.factor, "logits": (net.eval()(sloped((2, 32, 32, 3))) / net.factor).tolist()}
            for name, net in nets.items()]


@torch.no_grad()
def six_views():
    net = speed().eval()
    return {"logits": (six_view_logits(net, sloped((3, 32, 32, 3))) / net.factor).tolist()}


def whitening():
    smooth = F.avg_pool2d(nchw((12, 9, 8, 3)), 2, 1)
    patches = F.unfold(smooth, 2).transpose(1, 2).reshape(-1, 12).double()
    values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
    rows = (vectors / torch.sqrt(values + 5e-4)).T
    rows = torch.cat([rows, -rows])
    return {"images": 12, "height": 9, "width": 8, "product": (rows.T @ rows).tolist()}


# ---- optimizers -----------------------------------------------------------------------------------------------------
def orthogonalise(g, dtype, steps=3):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.to(dtype) / (g.norm() + 1e-7)
    tall = x.size(0) > x.size(1)
    x = x.T if tall else x
    for _ in range(steps):
        s = x @ x.T
        x = a * x + (b * s + c * s @ s) @ x
    return (x.T if tall else x).float()


class Muon:
    def __init__(self, params, lr, momentum):
        self.params, self.lr, self.momentum = list(params), lr, momentum
        self.buffers = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self):
        for p, buffer in zip(self.params, self.buffers):
            buffer.mul_(self.momentum).add_(p.grad)
            update = orthogonalise((p.grad + self.momentum * buffer).flatten(1), torch.float32).view_as(p)
            p.mul_(math.sqrt(len(p)) / p.norm()).sub_(update, alpha=self.lr)


class Lookahead:
    def __init__(self, net):
        self.net = net
        self.ema = {k: v.clone() for k, v in net.state_dict().items()}

    @torch.no_grad()
    def update(self, decay):
        for ema, value in zip(self.ema.values(), self.net.state_dict().values()):
            if value.dtype == torch.float:
                ema.lerp_(value, 1 - decay)
                value.copy_(ema)


BATCH, STEPS, WHITENING_STEPS, LOOKAHEAD = 6, 5, 2, 2
LAYERS = ("conv whitening 2 gelu, "
          + "".join(f"conv {w} same nobias dirac, maxpool 2, batchnorm noscale momentum 0.6 epsilon 1e-12, gelu, "
                    f"conv {w} same nobias dirac, batchnorm noscale momentum 0.6 epsilon 1e-12, gelu, " for w in (8, 12))
          + "maxpool 2, flatten, dense classes nobias unit, scale 1/9")


def training(optimizer):
    net = SpeedNet([8, 12], 1 / 9, pool=2, classes=3)
    net.train()
    biases = [m.bias for m in net.modules() if isinstance(m, nn.BatchNorm2d)]
    filters = [m.weight for m in net.groups.modules() if isinstance(m, nn.Conv2d)]
    if optimizer == "muon":
        rates = {"filters": .24, "bias": .053, "head": .67, "weight_decay": .004}
    else:
        rates = {"filters": .002, "bias": .002 * 64, "head": .002, "weight_decay": .003}
    rated = [([net.whiten.bias], "bias"), (biases, "bias"), ([net.head.weight], "head"), (filters, "filters")]
    if optimizer == "muon":
        rated.pop()
    sgd = torch.optim.SGD([dict(params=p, lr=rates[kind], weight_decay=rates["weight_decay"] / rates[kind]) for p, kind in rated],
                          lr=1, momentum=.85, nesterov=True)
    muon = Muon(filters, rates["filters"], .6)
    lookahead = Lookahead(net)
    x = (nchw((BATCH, 12, 14, 3)) - .5) / .25
    labels = torch.tensor([i % 3 for i in range(BATCH)])
    losses = []
    for step in range(STEPS):
        loss = F.cross_entropy(net(x, step < WHITENING_STEPS), labels, label_smoothing=.2, reduction="sum")
        losses.append(loss.item() / BATCH)
        net.zero_grad(set_to_none=True)
        loss.backward()
        for group, (_, kind) in zip(sgd.param_groups, rated):
            group["lr"] = rates[kind] * (1 - step / STEPS)
        sgd.param_groups[0]["lr"] = rates["bias"] * max(0, 1 - step / WHITENING_STEPS)
        sgd.step()
        if optimizer == "muon":
            muon.lr = rates["filters"] * (1 - step / STEPS)
            muon.step()
        else:
            if (step + 1) % LOOKAHEAD == 0:
                lookahead.update(.95 ** LOOKAHEAD * ((step + 1) / STEPS) ** 3)
            if step + 1 == STEPS:
                lookahead.update(1.0)
    tensors = []
    for name, tensor in net.tensors.items():
        v = tensor.detach().flatten().double()
        tensors.append({"name": name, "first": v[:6].tolist(),
                        "projection": float((v * torch.tensor(2 * units("probe", len(v)) - 1)).sum())})
    return {"optimizer": optimizer, "layers": LAYERS, "batch": BATCH, "height": 12, "width": 14, "steps": STEPS,
            "whitening_steps": WHITENING_STEPS, "momentum": .85, "muon_momentum": .6, "label_smoothing": .2,
            "lookahead": 0 if optimizer == "muon" else LOOKAHEAD, "rates": rates, "losses": losses, "tensors": tensors}


def orthogonalised():
    cases = []
    for rows, columns in ((6, 20), (20, 6)):
        g = torch.tensor(weight("matrix.kernel", (rows, columns)))
        cases.append({"rows": rows, "columns": columns, "fp32": orthogonalise(g, torch.float32).flatten().tolist(),
                      "bf16": orthogonalise(g, torch.bfloat16).flatten().tolist()})
    return cases


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent / "pytorch" / "speed.json")
    out = parser.parse_args().out
    parts = {"torch": torch.__version__, "forward": forward(), "six_views": six_views(), "whitening": whitening(),
             "orthogonalise": orthogonalised(), "training": [training("muon"), training("sgd")]}
    rounded = json.loads(json.dumps(parts), parse_float=lambda t: float(f"{float(t):.9g}"))
    out.write_text("{\n" + ",\n".join(f'"{k}": {json.dumps(v)}' for k, v in rounded.items()) + "\n}\n")
    print(f"{out.name}: {out.stat().st_size} bytes")


if __name__ == "__main__":
    main()

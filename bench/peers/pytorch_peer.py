# SPDX-License-Identifier: Apache-2.0
"""The peer in PyTorch: the speed recipe and the networks of the seeds (seed 002 gives none),
as a careful PyTorch user would run them on a CPU.

Run it under jemalloc for the tuned peer (PyTorch's own tuning guide advises it):
  LD_PRELOAD=libjemalloc.so.2 \
  MALLOC_CONF=oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1 \
  python3 pytorch_peer.py --model speed --data DIR --epochs 8
--steps N times N training steps on random data and stops: images/s, median of the steps.
--precision fp32|bf16 (bf16: autocast), --layout nchw|nhwc, --compile.
The speed recipe is the published airbench94_muon recipe (94.01 % mean on CIFAR-10, n=200, with 6-view test-time augmentation).
"""
import argparse
import json
import math
import time

import torch
import torch.nn as nn
import torch.nn.functional as F

MEAN = torch.tensor([0.4914, 0.4822, 0.4465]).view(1, 3, 1, 1)
STD = torch.tensor([0.2470, 0.2435, 0.2616]).view(1, 3, 1, 1)


# ---- networks -------------------------------------------------------------------------------------------------------
def norm(channels):
    bn = nn.BatchNorm2d(channels, eps=1e-12, momentum=0.4)
    bn.weight.requires_grad = False
    return bn


def conv3(cin, cout):
    c = nn.Conv2d(cin, cout, 3, padding=1, bias=False)
    nn.init.dirac_(c.weight.data[:cin])
    return c


class Group(nn.Sequential):
    def __init__(self, cin, cout):
        super().__init__(conv3(cin, cout), nn.MaxPool2d(2), norm(cout), nn.GELU(), conv3(cout, cout), norm(cout), nn.GELU())


class SpeedNet(nn.Module):
    def __init__(self, classes=10):
        super().__init__()
        self.whiten = nn.Conv2d(3, 24, 2)
        self.whiten.weight.requires_grad = False
        self.groups = nn.Sequential(Group(24, 64), Group(64, 256), Group(256, 256), nn.MaxPool2d(3))
        self.head = nn.Linear(256, classes, bias=False)
        self.head.weight.data /= self.head.weight.data.std()

    def set_whitening(self, images, eps=5e-4):
        patches = F.unfold(images, 2).transpose(1, 2).reshape(-1, 12)
        values, vectors = torch.linalg.eigh(patches.T @ patches / len(patches))
        w = (vectors / torch.sqrt(values + eps)).T.reshape(12, 3, 2, 2)
        self.whiten.weight.data.copy_(torch.cat([w, -w]))

    def forward(self, x, train_whiten_bias=True):
        bias = self.whiten.bias if train_whiten_bias else self.whiten.bias.detach()
        x = F.gelu(F.conv2d(x, self.whiten.weight, bias))
        return self.head(self.groups(x).flatten(1)) / 256


def seed_net(name):
    """The seeds' networks; Keras names in comments are the seeds' own files."""
    def c(i, o, same=True):
        return [nn.Conv2d(i, o, 3, padding=1 if same else 0), nn.ReLU()]
    bn = lambda n: nn.BatchNorm2d(n, eps=1e-3, momentum=0.01)
    layers = {
        "seed000": c(3, 32) + c(32, 32, False) + [nn.MaxPool2d(2), nn.Dropout(.25)] + c(32, 64) + c(64, 64, False)
                   + [nn.MaxPool2d(2), nn.Dropout(.25), nn.Flatten(), nn.Linear(2304, 512), nn.ReLU(), nn.Dropout(.5), nn.Linear(512, 10)],
        "seed001": c(3, 32, False) + [nn.MaxPool2d(2)] + c(32, 64, False) + c(64, 128, False) + [nn.MaxPool2d(2), nn.Flatten(),
                   nn.Linear(3200, 128), nn.ReLU(), nn.Dropout(.25), nn.Linear(128, 10)],
        "seed003": c(3, 64) + [bn(64), nn.MaxPool2d(2)] + c(64, 128) + [bn(128), nn.MaxPool2d(2)] + c(128, 256)
                   + [bn(256), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(4096, 256), nn.ReLU(), nn.Dropout(.5),
                      nn.Linear(256, 128), nn.ReLU(), nn.Dropout(.5), nn.Linear(128, 10)],
        "seed004": c(3, 32, False) + [nn.MaxPool2d(2), bn(32), nn.Dropout(.2), nn.Flatten(), nn.Linear(7200, 512), nn.ReLU(),
                   nn.Dropout(.5), nn.Linear(512, 10)],
    }[name]
    return nn.Sequential(*layers)


# ---- Muon -----------------------------------------------------------------------------------------------------------
def orthogonalize(g, steps=3):
    a, b, c = 3.4445, -4.7750, 2.0315
    x = g.bfloat16() / (g.norm() + 1e-7)
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
        for p, buf in zip(self.params, self.buffers):
            buf.mul_(self.momentum).add_(p.grad)
            update = orthogonalize((p.grad + self.momentum * buf).flatten(1)).view_as(p)
            p.mul_(math.sqrt(len(p)) / p.norm()).sub_(update, alpha=self.lr)


# ---- the speed recipe -----------------------------------------------------------------------------------------------
def speed_optimizers(net, wd):
    sgd = torch.optim.SGD([dict(params=[net.whiten.bias], lr=.053, weight_decay=wd / .053),
                           dict(params=[p for n, p in net.named_parameters() if n.startswith("groups") and p.ndim == 1 and p.requires_grad],
                                lr=.053, weight_decay=wd / .053),
                           dict(params=[net.head.weight], lr=.67, weight_decay=wd / .67)], lr=.1, momentum=.85, nesterov=True)
    return sgd, Muon([p for p in net.groups.parameters() if p.ndim == 4], .24, .6)


def crop(padded, size=32, reach=2):
    dy, dx = torch.randint(0, 2 * reach + 1, (2, len(padded)))
    out = torch.empty(len(padded), 3, size, size)
    for y in range(2 * reach + 1):
        for x in range(2 * reach + 1):
            m = (dy == y) & (dx == x)
            out[m] = padded[m, :, y:y + size, x:x + size]
    return out


def six_view_logits(net, x):
    both = lambda v: (net(v) + net(v.flip(-1))) / 2
    p = F.pad(x, (1,) * 4, "reflect")
    return both(x) / 2 + both(p[:, :, :32, :32]) / 4 + both(p[:, :, 2:34, 2:34]) / 4


def train_speed(args, cast, as_input):
    from cifar_files import load
    xt, yt, xe, ye, _ = load(args.data)
    prep = lambda a: (torch.tensor(a).permute(0, 3, 1, 2).float() / 255 - MEAN) / STD
    xt, yt, xe, ye = prep(xt), torch.tensor(yt), prep(xe), torch.tensor(ye)
    start = time.time()
    net = SpeedNet().to(memory_format=torch.channels_last)
    net.set_whitening(xt[:5000])
    fwd = torch.compile(net) if args.compile else net
    steps_per_epoch = len(xt) // args.batch
    total, whiten_steps = args.epochs * steps_per_epoch, 3 * steps_per_epoch
    sgd, muon = speed_optimizers(net, 2e-6 * args.batch)
    base = [g["lr"] for g in sgd.param_groups]
    flip = torch.rand(len(xt)) < .5
    padded = F.pad(torch.where(flip.view(-1, 1, 1, 1), xt.flip(-1), xt), (2,) * 4, "reflect")
    step = 0
    for epoch in range(args.epochs):
        net.train()
        images = crop(padded)
        if epoch % 2:
            images = images.flip(-1)
        order = torch.randperm(len(images))
        for i in range(steps_per_epoch):
            pick = order[i * args.batch:(i + 1) * args.batch]
            with cast():
                logits = fwd(as_input(images[pick]), step < whiten_steps)
            F.cross_entropy(logits.float(), yt[pick], label_smoothing=.2, reduction="sum").backward()
            sgd.param_groups[0]["lr"] = base[0] * max(0, 1 - step / whiten_steps)
            for g, lr in list(zip(sgd.param_groups, base))[1:]:
                g["lr"] = lr * (1 - step / total)
            muon.lr = .24 * (1 - step / total)
            sgd.step()
            muon.step()
            sgd.zero_grad(set_to_none=True)
            for p in muon.params:
                p.grad = None
            step += 1
        print(json.dumps(dict(epoch=epoch, seconds=round(time.time() - start, 1))), flush=True)
    train_seconds = time.time() - start
    net.eval()
    with torch.no_grad(), cast():
        plain = torch.cat([net(as_input(b)).float() for b in xe.split(2000)])
        tta = torch.cat([six_view_logits(net, as_input(b)).float() for b in xe.split(2000)])
    accuracy = lambda z: (z.argmax(1) == ye).float().mean().item()
    print(json.dumps(dict(peer="pytorch", torch=torch.__version__, model="speed", epochs=args.epochs, batch=args.batch, seed=args.seed,
                          train_seconds=round(train_seconds, 1), total_seconds=round(time.time() - start, 1),
                          accuracy=accuracy(plain), accuracy_six_views=accuracy(tta))))


def time_steps(args, cast, as_input):
    net = (SpeedNet() if args.model == "speed" else seed_net(args.model)).to(memory_format=torch.channels_last if args.layout == "nhwc" else torch.contiguous_format)
    fwd = torch.compile(net) if args.compile else net
    speed = args.model == "speed"  # as late in a run: the whitening bias is frozen
    optimizers = speed_optimizers(net, 0) if speed else [torch.optim.Adam(net.parameters(), lr=1e-3, fused=args.fused)]
    x, y = as_input(torch.randn(args.batch, 3, 32, 32)), torch.randint(0, 10, (args.batch,))
    times = []
    for _ in range(args.steps + 3):
        t = time.time()
        for p in net.parameters():
            p.grad = None
        with cast():
            logits = fwd(x, False) if speed else fwd(x)
        F.cross_entropy(logits.float(), y).backward()
        for optimizer in optimizers:
            optimizer.step()
        times.append(time.time() - t)
    s = sorted(times[3:])[args.steps // 2]
    print(json.dumps(dict(peer="pytorch", torch=torch.__version__, model=args.model, batch=args.batch, precision=args.precision, layout=args.layout,
                          compile=args.compile, threads=torch.get_num_threads(), step_ms=round(1e3 * s, 2), images_per_second=round(args.batch / s))))


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="speed")
    p.add_argument("--data", default="cifar10-jpeg")
    p.add_argument("--epochs", type=int, default=8)
    p.add_argument("--batch", type=int, default=2000)
    p.add_argument("--steps", type=int, default=0)
    p.add_argument("--seed", type=int, default=0)
    p.add_argument("--precision", choices=["fp32", "bf16"], default="bf16")
    p.add_argument("--layout", choices=["nchw", "nhwc"], default="nhwc")
    p.add_argument("--compile", action="store_true")
    p.add_argument("--fused", action="store_true", help="Adam in one kernel, which PyTorch has not by default on a CPU")
    args = p.parse_args()
    torch.manual_seed(args.seed)
    cast = lambda: torch.autocast("cpu", dtype=torch.bfloat16, enabled=args.precision == "bf16")
    as_input = lambda t: t.contiguous(memory_format=torch.channels_last if args.layout == "nhwc" else torch.contiguous_format)
    (time_steps if args.steps else train_speed)(args, cast, as_input)


if __name__ == "__main__":
    main()

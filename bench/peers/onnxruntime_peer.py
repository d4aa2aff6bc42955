# SPDX-License-Identifier: Apache-2.0
"""The peer for inference: a network of pytorch_peer.py, exported to ONNX, run by onnxruntime on the CPU in fp32.

    python3 onnxruntime_peer.py --model seed003 --batch 256

Prints one JSON object: images/s of the median call.
"""
import argparse
import json
import logging
import os
import statistics
import tempfile
import time
import warnings

import numpy as np
import onnxruntime
import torch

from pytorch_peer import SpeedNet, seed_net

WARM_UP = 5


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--model", default="speed")
    p.add_argument("--batch", type=int, default=1)
    p.add_argument("--calls", type=int, default=0, help="default: as many as take about 5 s, at least 10")
    args = p.parse_args()
    torch.manual_seed(0)
    warnings.filterwarnings("ignore")
    logging.disable(logging.WARNING)
    net = (SpeedNet() if args.model == "speed" else seed_net(args.model)).eval()
    x = torch.randn(args.batch, 3, 32, 32)
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "model.onnx")
        torch.onnx.export(net, (x,), path, input_names=["x"], dynamo=False)
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0))
        session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    feed = {"x": np.ascontiguousarray(x.numpy())}
    with torch.no_grad():
        error = np.abs(session.run(None, feed)[0] - net(x).numpy()).max()
    if not error < 1e-3:
        raise SystemExit(f"onnxruntime's logits are {error} off PyTorch's")

    def seconds():
        begin = time.perf_counter()
        session.run(None, feed)
        return time.perf_counter() - begin

    first = [seconds() for _ in range(WARM_UP)]
    calls = args.calls or max(10, min(5000, int(5 / min(first))))
    times = [seconds() for _ in range(calls)]
    median = statistics.median(times)
    print(json.dumps({"peer": "onnxruntime", "onnxruntime": onnxruntime.__version__, "model": args.model, "batch": args.batch,
                      "calls": calls, "call_ms": round(1e3 * median, 4), "images_per_second": round(args.batch / median, 1)}))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The speed recipe, whole: Spotter's training beside PyTorch's on the same images, in turn, with the accuracy of both.

    python3 bench/speed_vs_pytorch.py DIR --python PATH [--seeds 1,2,3,4,5] [--epochs 8] [--batch 2000] [--no-jemalloc]

DIR is an image folder, train/CLASS/*.jpg and test/CLASS/*.jpg. For each seed: `spotter train DIR --recipe speed`, then
peers/pytorch_peer.py --model speed (the published recipe: 8 epochs, batches of 2,000). Both read the images before the clock starts,
and both answer the test images by six views (ours those of which one view is not sure); neither clock counts that, both count whitening and set-up. --epochs from 4
to 7 shortens the peer: its time is that of the first 3 epochs, in which it trains the whitening bias, and 5 times that of
a later one; its accuracy is left out. Prints a Markdown table, then JSON.
"""
import argparse
import json
import sys
import tempfile
from pathlib import Path

from side_by_side import (JEMALLOC, PEERS, SPOTTER, Failure, cell, check_binary, check_idle, check_jemalloc, machine, packages,
                          result, run, spotter_version, spread)

EPOCHS = 8  # of the published recipe
WHITENING_EPOCHS = 3  # that train the whitening bias, which costs the first group's data gradient


def ours(args, seed):
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "run"
        run("spotter train", [args.spotter, "train", args.data, "--recipe", "speed", "--seed", seed, "--output", path, "--quiet",
                              "--profile", *args.options.split()], timeout=args.timeout)
        metrics = json.loads((path / "metrics.json").read_text())
        preparing = json.loads((path / "run.json").read_text())["profile"]["phases"]["preparing"]
    return {"seconds": preparing + sum(e["seconds"] for e in metrics["history"]), "accuracy": metrics["test"]["accuracy"]}


def peer(args, seed):
    output = run("pytorch_peer.py", [args.python, PEERS / "pytorch_peer.py", "--model", "speed", "--data", args.data, "--epochs",
                                     args.epochs, "--batch", args.batch, "--seed", seed],
                 JEMALLOC if args.jemalloc else {}, args.timeout)
    found = result("pytorch_peer.py", output, ["train_seconds", "accuracy_six_views"])
    if args.epochs == EPOCHS:
        return {"seconds": found["train_seconds"], "accuracy": found["accuracy_six_views"]}
    ends = [json.loads(line)["seconds"] for line in output.splitlines() if line.startswith('{"epoch"')]
    early = ends[WHITENING_EPOCHS - 1]
    late = (ends[-1] - early) / (args.epochs - WHITENING_EPOCHS)
    return {"seconds": early + (EPOCHS - WHITENING_EPOCHS) * late, "accuracy": None}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("data", metavar="DIR")
    p.add_argument("--seeds", default="1,2,3,4,5")
    p.add_argument("--epochs", type=int, default=EPOCHS, help="the peer's (default 8)")
    p.add_argument("--batch", type=int, default=2000, help="the peer's (default 2000)")
    p.add_argument("--options", default="", help="more options for spotter train, as one word")
    p.add_argument("--python", default=sys.executable, help="the interpreter that has torch (default: this one)")
    p.add_argument("--spotter", default=str(SPOTTER))
    p.add_argument("--no-jemalloc", dest="jemalloc", action="store_false", help="run the peer with the allocator it comes with")
    p.add_argument("--busy-ok", action="store_true", help="run even though other programs take CPU time")
    p.add_argument("--timeout", type=int, default=7200, help="seconds for one run (default 7200)")
    args = p.parse_args()
    rounds = []
    try:
        if not (Path(args.data) / "train").is_dir():
            raise Failure(f"{args.data} is no image folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
        if not WHITENING_EPOCHS < args.epochs <= EPOCHS:
            raise Failure(f"--epochs {args.epochs}: from {WHITENING_EPOCHS + 1} to {EPOCHS}")
        check_binary(args)
        found = packages(args.python, ["torch"], JEMALLOC if args.jemalloc else {})
        if args.jemalloc:
            check_jemalloc(found)
        check_idle(args)
        for seed in args.seeds.split(","):
            a, b = ours(args, seed), peer(args, seed)
            rounds.append({"seed": int(seed), "ours": a, "peer": b, "ratio": b["seconds"] / a["seconds"]})
            print(f"seed {seed}: ours {a['seconds']:.1f} s, {a['accuracy']:.4f}; pytorch {b['seconds']:.1f} s, {b['accuracy']}",
                  file=sys.stderr, flush=True)
    except Failure as e:
        sys.exit(f"error: {e}")
    versions = {"spotter": spotter_version(args), **found["versions"]}
    print(f"The speed recipe's training, median [min-max]; {machine()['cpu']}, {machine()['cpus_usable']} CPUs; "
          + ", ".join(f"{k} {v}" for k, v in versions.items())
          + f"; PyTorch under {'jemalloc' if args.jemalloc else 'its own allocator'}, {args.epochs} of {EPOCHS} epochs\n")
    print("| | seconds | accuracy, six views | n |\n|---|---|---|---|")
    for side, name in (("ours", "spotter"), ("peer", "pytorch")):
        accuracies = [r[side]["accuracy"] for r in rounds if r[side]["accuracy"] is not None]
        mean = f"mean {100 * sum(accuracies) / len(accuracies):.2f} %, " + cell(spread([100 * a for a in accuracies]), 2) \
            if accuracies else "-"
        print(f"| {name} | {cell(spread([r[side]['seconds'] for r in rounds]), 1)} | {mean} | {len(rounds)} |")
    print(f"| pytorch / spotter | {cell(spread([r['ratio'] for r in rounds]), 2)} | | {len(rounds)} |")
    print("\n" + json.dumps({"machine": machine(), "versions": versions, "jemalloc": args.jemalloc, "rounds": rounds}))


if __name__ == "__main__":
    main()

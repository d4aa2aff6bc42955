# SPDX-License-Identifier: Apache-2.0
"""Inference speed of Spotter beside onnxruntime on this machine: the same networks, the two in turn.

    python3 bench/infer_vs_onnxruntime.py --python PATH [--rounds 5] [--recipes seed-003,speed] [--batches 1,256]

PATH is an interpreter with torch, onnx, onnxscript and onnxruntime. Every round runs `spotter bench inference`, then
peers/onnxruntime_peer.py on the same network, whose weights are random: neither side's speed depends on them. Both compute
logits from images in memory with all cores; onnxruntime in fp32, its default. Prints a Markdown table, then JSON.
"""
import argparse
import json
import sys

from side_by_side import (PEERS, SPOTTER, Failure, cell, check_binary, check_idle, machine, packages, result, run,
                          spotter_version, spread)

RECIPES = {"seed-000": "seed000", "seed-001": "seed001", "seed-003": "seed003", "seed-004": "seed004", "speed": "speed"}
PACKAGES = ["torch", "onnx", "onnxruntime"]


def measure(args, recipe, batch):
    mine, theirs = [], []
    for i in range(args.rounds):
        output = run("spotter bench inference",
                     [args.spotter, "bench", "inference", "--recipe", recipe, "--batch-size", batch, "--json"], timeout=600)
        mine.append(result("spotter bench inference", output, ["images_per_second", "precision"]))
        output = run("onnxruntime_peer.py",
                     [args.python, PEERS / "onnxruntime_peer.py", "--model", RECIPES[recipe], "--batch", batch], timeout=600)
        theirs.append(result("onnxruntime_peer.py", output, ["images_per_second"]))
        print(f"{recipe} batch {batch} round {i + 1} of {args.rounds}: ours {mine[-1]['images_per_second']:.0f}, "
              f"onnxruntime {theirs[-1]['images_per_second']:.0f} images/s", file=sys.stderr, flush=True)
    ours, peer = ([r["images_per_second"] for r in side] for side in (mine, theirs))
    return {"recipe": recipe, "batch_size": batch, "n": args.rounds, "ours_precision": mine[0]["precision"],
            "ours_images_per_second": spread(ours), "peer_images_per_second": spread(peer),
            "ratio": spread([a / b for a, b in zip(ours, peer)])}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--recipes", default="seed-003,speed", help=f"of {', '.join(RECIPES)}")
    p.add_argument("--batches", default="1,256")
    p.add_argument("--python", default=sys.executable, help="the interpreter that has the peer (default: this one)")
    p.add_argument("--spotter", default=str(SPOTTER))
    p.add_argument("--busy-ok", action="store_true", help="run even though other programs take CPU time")
    args = p.parse_args()
    try:
        recipes = args.recipes.split(",")
        unknown = [r for r in recipes if r not in RECIPES]
        if unknown:
            raise Failure(f"no peer for the recipe {unknown[0]}; choose from {', '.join(RECIPES)}")
        check_binary(args)
        versions = {"spotter": spotter_version(args), **packages(args.python, PACKAGES)["versions"]}
        check_idle(args)
        rows = [measure(args, r, int(b)) for r in recipes for b in args.batches.split(",")]
    except Failure as e:
        sys.exit(f"error: {e}")
    print(f"Inference, images per second, median [min-max]; {machine()['cpu']}, {machine()['cpus_usable']} CPUs; "
          + ", ".join(f"{k} {v}" for k, v in versions.items()) + "\n")
    print("| recipe | batch | ours | onnxruntime | ours / onnxruntime | n | ours in |\n|---|---|---|---|---|---|---|")
    for r in rows:
        print(f"| {r['recipe']} | {r['batch_size']} | {cell(r['ours_images_per_second'], 0)} | "
              f"{cell(r['peer_images_per_second'], 0)} | {cell(r['ratio'], 2)} | {r['n']} | {r['ours_precision']} |")
    print("\n" + json.dumps({"machine": machine(), "versions": versions, "results": rows}))


if __name__ == "__main__":
    main()

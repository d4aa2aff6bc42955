# SPDX-License-Identifier: Apache-2.0
"""Training speed of Spotter beside PyTorch or Keras on this machine: the two in turn, so that both meet the same load.

    python3 bench/train_vs_peers.py [--rounds 5] [--recipes seed-000,seed-001] [--peer keras --data DIR] [--python PATH]

Every round runs `spotter bench train --recipe RECIPE --json`, then the peer with the same batch size and precision (and,
for PyTorch, as many steps). Prints a Markdown table and then the same as JSON; progress goes to stderr. The ratio is ours
divided by the peer's of the same round. What is timed, and what is not, is in bench/README.md.
"""
import argparse
import json
import sys
from pathlib import Path

from side_by_side import (BUSY_LIMIT, JEMALLOC, PEERS, SPOTTER, Failure, busy_share, cell, check_binary, check_idle,
                          check_jemalloc, machine, packages, result, run, spotter_version, spread)

RECIPES = {"seed-000": "seed000", "seed-001": "seed001", "seed-003": "seed003", "seed-004": "seed004", "speed": "speed"}
STEPS = {"speed": 20}  # of 500 images; the others take what `spotter bench train` takes
NO_PEER = {"seed-002": "its file describes no network, so there is nothing to compare with"}
PACKAGES = {"pytorch": ["torch"], "keras": ["keras", "tensorflow"]}


# ---- running --------------------------------------------------------------------------------------------------------
def ours(args, recipe):
    keys = ["images_per_second", "steps", "batch_size", "precision", "threads"]
    what = f"spotter bench train --recipe {recipe}"
    steps = ["--steps", STEPS[recipe]] if recipe in STEPS else []
    output = run(what, [args.spotter, "bench", "train", "--recipe", recipe, "--json", *steps], timeout=args.timeout)
    return result(what, output, keys)


def peer(args, recipe, mine):
    """The peer's object for the batch size, the steps and the precision that ours reported."""
    if args.peer == "keras":
        script, options = "keras_peer.py", ["--models", RECIPES[recipe], "--data", args.data, "--epochs", 1]
    else:
        script, options = "pytorch_peer.py", ["--model", RECIPES[recipe], "--steps", mine["steps"], "--precision",
                                              mine["precision"] if args.peer_precision == "same" else args.peer_precision]
    what = f"{script} ({recipe})"
    output = run(what, [args.python, PEERS / script, "--batch", mine["batch_size"], *options],
                 JEMALLOC if args.jemalloc else {}, args.timeout)
    return result(what, output, ["images_per_second"])


# ---- checks before the first run ------------------------------------------------------------------------------------
def check_peer(args):
    """The versions of the peer's packages."""
    if args.peer == "keras" and not (args.data and (Path(args.data) / "train").is_dir()):
        raise Failure("--peer keras trains on pictures: give --data DIR, a folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    found = packages(args.python, PACKAGES[args.peer], JEMALLOC if args.jemalloc else {})
    if args.jemalloc:
        check_jemalloc(found)
    return found["versions"]


# ---- the measurement ------------------------------------------------------------------------------------------------
def same(name, rounds):
    values = {str(r.get(name)) for r in rounds}
    if len(values) > 1:
        raise Failure(f"{name} changed between rounds: {', '.join(sorted(values))}")
    return rounds[0].get(name)


def measure(args, recipe):
    mine, theirs, busy = [], [], []
    for i in range(args.rounds):
        busy.append(round(busy_share(), 3))
        mine.append(ours(args, recipe))
        theirs.append(peer(args, recipe, mine[-1]))
        print(f"{recipe} round {i + 1} of {args.rounds}: ours {mine[-1]['images_per_second']:.0f}, "
              f"{args.peer} {theirs[-1]['images_per_second']:.0f} images/s", file=sys.stderr, flush=True)
    speeds = [[r["images_per_second"] for r in side] for side in (mine, theirs)]
    if min(min(s) for s in speeds) <= 0:
        raise Failure(f"{recipe}: a run reported 0 images/s")
    return {"recipe": recipe, "n": args.rounds, "batch_size": same("batch_size", mine), "steps": same("steps", mine),
            "ours_images_per_second": spread(speeds[0]), "peer_images_per_second": spread(speeds[1]),
            "ratio": spread([a / b for a, b in zip(*speeds)]),
            "ours_precision": same("precision", mine), "peer_precision": theirs[0].get("precision", "fp32"),
            "ours_threads": same("threads", mine), "peer_threads": theirs[0].get("threads"),
            "rounds": [{"ours": a, "peer": b, "busy_before": c} for a, b, c in zip(*speeds, busy)]}


def notes(args, rows):
    """What a reader must know before believing the table."""
    for row in rows:
        busy = max(r["busy_before"] for r in row["rounds"])
        if busy > BUSY_LIMIT:
            yield f"{row['recipe']}: NOT TO BE QUOTED, other programs took up to {busy:.0%} of the CPUs before a round"
        if row["ours_precision"] != row["peer_precision"]:
            yield f"{row['recipe']}: ours ran in {row['ours_precision']}, the peer in {row['peer_precision']}"
        if row["peer_threads"] not in (None, row["ours_threads"]):
            yield f"{row['recipe']}: ours ran on {row['ours_threads']} threads, the peer on {row['peer_threads']}"
    for recipe, reason in NO_PEER.items():
        yield f"{recipe} has no peer: {reason}"


# ---- printing -------------------------------------------------------------------------------------------------------
def markdown(report):
    versions = ", ".join(f"{k} {v}" for k, v in report["versions"].items())
    lines = [f"Training, images per second, median [min-max]; {report['machine']['cpu']}, {report['machine']['cpus_usable']} CPUs; "
             f"{versions}; peer under {'jemalloc' if report['jemalloc'] else 'its own allocator'}", "",
             f"| recipe | ours | {report['peer']} | ours / {report['peer']} | n | batch | ours in | peer in |",
             "|---|---|---|---|---|---|---|---|"]
    for r in report["results"]:
        lines.append(f"| {r['recipe']} | {cell(r['ours_images_per_second'], 0)} | {cell(r['peer_images_per_second'], 0)} | "
                     f"{cell(r['ratio'], 2)} | {r['n']} | {r['batch_size']} | {r['ours_precision']} | {r['peer_precision']} |")
    return "\n".join(lines + [""] + ["- " + note for note in report["notes"]])


def parse():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--rounds", type=int, default=5, help="pairs of runs for each recipe (default 5)")
    p.add_argument("--recipes", default=",".join(RECIPES), help="default: all that have a peer")
    p.add_argument("--peer", choices=sorted(PACKAGES), default="pytorch")
    p.add_argument("--peer-precision", choices=["same", "fp32", "bf16"], default="same", help="PyTorch's (default: as ours)")
    p.add_argument("--python", default=sys.executable, help="the interpreter that has the peer (default: this one)")
    p.add_argument("--spotter", default=str(SPOTTER))
    p.add_argument("--data", help="for --peer keras: an image folder of CIFAR-10")
    p.add_argument("--no-jemalloc", dest="jemalloc", action="store_false", help="run the peer with the allocator it comes with")
    p.add_argument("--busy-ok", action="store_true", help="run even though other programs take CPU time")
    p.add_argument("--timeout", type=int, default=1800, help="seconds for one run (default 1800)")
    return p.parse_args()


def report(args):
    recipes = [r.strip() for r in args.recipes.split(",") if r.strip()]
    if args.peer == "keras":
        recipes = [r for r in recipes if r != "speed"]  # keras_peer.py has the seeds' networks alone
    unknown = [r for r in recipes if r not in RECIPES and r not in NO_PEER]
    if unknown:
        raise Failure(f"no peer for the recipe {unknown[0]}; choose from {', '.join(RECIPES)}")
    measured = [r for r in recipes if r in RECIPES]
    if not measured:
        raise Failure("; ".join(f"{r} has no peer: {NO_PEER[r]}" for r in recipes) or "--recipes names no recipe")
    if args.rounds < 1:
        raise Failure("--rounds must be at least 1")
    check_binary(args)
    versions = {"spotter": spotter_version(args), **check_peer(args)}
    check_idle(args)
    rows = [measure(args, r) for r in measured]
    return {"peer": args.peer, "machine": machine(), "versions": versions, "jemalloc": args.jemalloc, "results": rows,
            "notes": list(notes(args, rows))}


def main():
    try:
        found = report(parse())
    except Failure as e:
        sys.exit(f"error: {e}")
    print(markdown(found) + "\n\n" + json.dumps(found))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Training speed of Spotter beside PyTorch or Keras on this machine: the two in turn, so that both meet the same load.

    python3 bench/train_vs_peers.py [--rounds 5] [--recipes seed-000,seed-001] [--peer keras --data DIR] [--python PATH]

Every round runs `spotter bench train --recipe RECIPE --json`, then the peer with the same batch size and precision (and,
for PyTorch, as many steps). Prints a Markdown table and then the same as JSON; progress goes to stderr. The ratio is ours
divided by the peer's of the same round. What is timed, and what is not, is in bench/README.md.
"""
import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PEERS = ROOT / "bench" / "peers"
RECIPES = {"seed-000": "seed000", "seed-001": "seed001", "seed-003": "seed003", "seed-004": "seed004"}
NO_PEER = {"seed-002": "its file describes no network, so there is nothing to compare with"}
PACKAGES = {"pytorch": ["torch"], "keras": ["keras", "tensorflow"]}
JEMALLOC = {"LD_PRELOAD": "libjemalloc.so.2", "MALLOC_CONF": "oversize_threshold:0,dirty_decay_ms:-1,muzzy_decay_ms:-1"}
# Above this share of the CPUs taken by others, figures are refused. Two OpenMP threads that wait for each other by spinning
# lose far more than their share to a third program: PyTorch was seen at a fortieth of its speed. Taking turns doesn't help.
BUSY_LIMIT = 0.1
# Asked of the peer's interpreter: is every package there, and was jemalloc really loaded?
PROBE = """
import importlib, json, sys
sys.path.pop(0)  # the current folder: a folder named torch in it is not PyTorch
found = {}
for name in sys.argv[1:]:
    try:
        found[name] = importlib.import_module(name).__version__
    except ImportError as e:
        sys.exit(f"{name}: {e}")
print(json.dumps({"versions": found, "jemalloc": "jemalloc" in open("/proc/self/maps").read()}))
"""


class Failure(Exception):
    """Ends the program with its text as the one line of explanation."""


# ---- running --------------------------------------------------------------------------------------------------------
def last_line(text):
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    return lines[-1] if lines else "no message"


def run(what, command, environment=None, timeout=None):
    """The standard output of a command that must succeed."""
    try:
        done = subprocess.run([str(c) for c in command], capture_output=True, text=True, timeout=timeout,
                              env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **(environment or {})})
    except OSError as e:
        raise Failure(f"{what}: cannot run {command[0]}: {e.strerror}")
    except subprocess.TimeoutExpired:
        raise Failure(f"{what} took longer than {timeout} s; raise --timeout, or see why it hangs")
    if done.returncode:
        raise Failure(f"{what} ended with status {done.returncode}: {last_line(done.stderr)}")
    return done.stdout


def result(what, output, keys):
    """The JSON object that the last line (or the whole) of an output is."""
    for text in (output, last_line(output)):
        try:
            found = json.loads(text)
            break
        except ValueError:
            found = None
    missing = [k for k in keys if not isinstance(found, dict) or k not in found]
    if missing:
        raise Failure(f"{what} printed no JSON object with {', '.join(missing)}; it printed: {last_line(output)[:200]}")
    return found


def ours(args, recipe):
    keys = ["images_per_second", "steps", "batch_size", "precision", "threads"]
    what = f"spotter bench train --recipe {recipe}"
    output = run(what, [args.spotter, "bench", "train", "--recipe", recipe, "--json"], timeout=args.timeout)
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
def check_binary(args):
    if not os.access(args.spotter, os.X_OK) or os.path.isdir(args.spotter):
        raise Failure(f"no program at {args.spotter}; build it with 'cmake --preset release && cmake --build --preset release', "
                      "or name it with --spotter PATH")


def check_peer(args):
    """The versions of the peer's packages."""
    if args.peer == "keras" and not (args.data and (Path(args.data) / "train").is_dir()):
        raise Failure("--peer keras trains on pictures: give --data DIR, a folder with train/CLASS/*.jpg and test/CLASS/*.jpg")
    packages = PACKAGES[args.peer]
    try:
        found = json.loads(run("probe", [args.python, "-c", PROBE, *packages], JEMALLOC if args.jemalloc else {}, 300))
    except Failure as e:
        raise Failure(f"{args.python} cannot import {' and '.join(packages)} ({e}); "
                      "name an interpreter that can with --python PATH")
    if args.jemalloc and not found["jemalloc"]:
        raise Failure("libjemalloc.so.2 is not installed; install jemalloc (Debian: libjemalloc2), or measure the peer as it "
                      "comes with --no-jemalloc")
    return found["versions"]


def spotter_version(args):
    try:
        return last_line(run("spotter --version", [args.spotter, "--version"], timeout=60)).removeprefix("spotter ")
    except Failure:
        return "unknown"


def busy_share(seconds=1):
    """The share of all CPU time that others take now, while this program sleeps; steal by other guests counts."""
    def ticks():
        t = [int(x) for x in open("/proc/stat").readline().split()[1:9]]
        return sum(t), t[3] + t[4]  # all, idle + waiting for a disk
    total, idle = ticks()
    time.sleep(seconds)
    total_after, idle_after = ticks()
    return 1 - (idle_after - idle) / max(1, total_after - total)


def check_idle(args):
    share = busy_share()
    if share > BUSY_LIMIT and not args.busy_ok:
        raise Failure(f"other programs take {share:.0%} of the CPUs, which slows the two sides unequally; wait until they have "
                      "ended, or try the program out with --busy-ok (its figures then mean nothing)")


def machine():
    models = [line.split(":", 1)[1].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")]
    return {"cpu": models[0] if models else platform.machine(), "cpus_usable": len(os.sched_getaffinity(0))}


# ---- the measurement ------------------------------------------------------------------------------------------------
def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


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
def cell(values, digits):
    return "{median:.{d}f} [{min:.{d}f}-{max:.{d}f}]".format(**values, d=digits)


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
    p.add_argument("--spotter", default=str(ROOT / "build" / "release" / "spotter"))
    p.add_argument("--data", help="for --peer keras: an image folder of CIFAR-10")
    p.add_argument("--no-jemalloc", dest="jemalloc", action="store_false", help="run the peer with the allocator it comes with")
    p.add_argument("--busy-ok", action="store_true", help="run even though other programs take CPU time")
    p.add_argument("--timeout", type=int, default=1800, help="seconds for one run (default 1800)")
    return p.parse_args()


def report(args):
    recipes = [r.strip() for r in args.recipes.split(",") if r.strip()]
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

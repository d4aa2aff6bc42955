# SPDX-License-Identifier: Apache-2.0
"""The accuracy of recipes over several seeds: trains each, one after another, and prints a Markdown table.

    python3 bench/accuracy.py DATA [--recipes seed-000,seed-001] [--seeds 1,2,3] [--runs runs/accuracy]

Every run is kept as RUNS/RECIPE-SEED. One that has finished is not trained again, one that was stopped goes on. The seconds
are those of training, validation and checkpoints included, loading and the last evaluation not; they mean something only
where nothing else ran meanwhile.
"""
import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RECIPES = "seed-000,seed-001,seed-002,seed-003,seed-004"


def finished(run):
    record = run / "run.json"
    return record.exists() and json.loads(record.read_text()).get("status") == "finished"


def train(spotter, data, recipe, seed, run):
    """Leaves a finished run in the folder `run`, or ends the program."""
    if finished(run):
        return
    command = ([spotter, "train", "--resume", run] if (run / "run.json").exists() else
               [spotter, "train", data, "--recipe", recipe, "--seed", str(seed), "--output", run])
    done = subprocess.run([str(word) for word in command], stdout=subprocess.DEVNULL)
    if done.returncode:
        sys.exit(f"error: training {run} ended with status {done.returncode}")


def summary(recipe, runs):
    records = [json.loads((run / "run.json").read_text()) for run in runs]
    metrics = [json.loads((run / "metrics.json").read_text()) for run in runs]
    accuracy = [100 * m["test"]["accuracy"] for m in metrics]
    spread = f" ± {statistics.stdev(accuracy):.1f}" if len(accuracy) > 1 else ""
    epochs = sorted(len(m["history"]) for m in metrics)
    seconds = statistics.mean(r["train_seconds"] for r in records)
    return {"recipe": recipe, "n": len(runs),
            "accuracy": f"{statistics.mean(accuracy):.1f} %{spread} ({min(accuracy):.1f} to {max(accuracy):.1f})",
            "epochs": str(epochs[0]) if epochs[0] == epochs[-1] else f"{epochs[0]} to {epochs[-1]}",
            "seconds": f"{seconds:.0f}"}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", help="what spotter train takes as DATA; it must have test images")
    parser.add_argument("--recipes", default=RECIPES)
    parser.add_argument("--seeds", default="1,2,3")
    parser.add_argument("--runs", type=Path, default=Path("runs/accuracy"))
    parser.add_argument("--spotter", type=Path, default=ROOT / "build" / "release" / "spotter")
    a = parser.parse_args()
    if not a.spotter.exists():
        sys.exit(f"error: {a.spotter} is missing; scripts/setup builds it")

    seeds = [int(seed) for seed in a.seeds.split(",")]
    rows = []
    for recipe in a.recipes.split(","):
        runs = [a.runs / f"{recipe}-{seed}" for seed in seeds]
        for seed, run in zip(seeds, runs):
            train(a.spotter, a.data, recipe, seed, run)
        rows.append(summary(recipe, runs))
    print("| recipe | test accuracy, mean ± standard deviation (range) | n | epochs | seconds of training |\n|---|---|---|---|---|")
    for row in rows:
        print("| {recipe} | {accuracy} | {n} | {epochs} | {seconds} |".format(**row))


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""What the live page costs training: runs in turn with --live, asked by a client as a browser asks, and without.

    bench/live_cost.py DATA [--pairs 5] [--epochs 2] [--recipe seed-001]
"""
import argparse
import csv
import json
import os
import pathlib
import re
import statistics
import subprocess
import tempfile
import time
import urllib.request

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("data")
parser.add_argument("--pairs", type=int, default=5)
parser.add_argument("--epochs", type=int, default=2)
parser.add_argument("--recipe", default="seed-001")
parser.add_argument("--spotter", default="build/release/spotter")
options = parser.parse_args()


def ask(url, path):
    return urllib.request.urlopen(url + path, timeout=10).read()


def cpu_seconds(pid):
    """Of the server's thread and of the whole process, so far."""
    tick = os.sysconf("SC_CLK_TCK")

    def spent(stat):
        fields = stat.read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / tick

    tasks = pathlib.Path(f"/proc/{pid}/task")
    server = sum(spent(task / "stat") for task in tasks.iterdir() if (task / "comm").read_text() == "http\n")
    return server, spent(pathlib.Path(f"/proc/{pid}/stat"))


def watch(process):
    """Asks each second for the state, and for the content when there is more to show."""
    global server_share
    url = next(found.group() for line in process.stderr if (found := re.search(r"http://\S+/", line)))
    version = -1
    while process.poll() is None:
        try:
            state = json.loads(ask(url, "state.json"))
            if state["version"] != version:
                ask(url, "content.json")
            version = state["version"]
            server, whole = cpu_seconds(process.pid)
            if server:  # once the run ends, its thread is gone before it is
                server_share = server / whole
        except OSError:
            break
        time.sleep(1)


def images_per_second(live, folder):
    """Of the training epochs; and how long the report took to write."""
    command = [options.spotter, "train", options.data, "--recipe", options.recipe, "--epochs", str(options.epochs),
               "--output", str(folder), "--quiet"] + (["--live"] if live else [])
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    if live:
        watch(process)
    process.communicate()
    assert process.returncode == 0
    rows = csv.DictReader((folder / "metrics.csv").open())
    return (statistics.mean(float(row["images_per_second"]) for row in rows),
            json.loads((folder / "run.json").read_text())["report_seconds"])


ratios, reports, shares = [], [], []
server_share = 0
with tempfile.TemporaryDirectory() as folder:
    for pair in range(options.pairs):
        speed = {}
        for live in (True, False) if pair % 2 else (False, True):
            speed[live], seconds = images_per_second(live, pathlib.Path(folder) / f"{pair}-{live}")
            if live:
                shares.append(100 * server_share)
            else:
                reports.append(seconds)
        ratios.append(speed[True] / speed[False])
        print(f"pair {pair + 1}: {speed[True]:.0f} images/s with the live page, {speed[False]:.0f} without", flush=True)
print(f"with / without: median {statistics.median(ratios):.4f} [{min(ratios):.4f} to {max(ratios):.4f}], n = {len(ratios)}")
print(f"CPU time of the server's thread: median {statistics.median(shares):.2f} % of the run's "
      f"[{min(shares):.2f} to {max(shares):.2f}], n = {len(shares)}")
print(f"writing the report: median {statistics.median(reports):.2f} s [{min(reports):.2f} to {max(reports):.2f}], n = {len(reports)}")

# SPDX-License-Identifier: Apache-2.0
"""What the comparisons share: running programs, looking at the machine, writing figures."""
import json
import os
import platform
import statistics
import subprocess
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SPOTTER = ROOT / "build" / "release" / "spotter"
PEERS = ROOT / "bench" / "peers"
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


def packages(python, names, environment=None):
    """Versions of packages that an interpreter has, and whether it runs under jemalloc."""
    try:
        return json.loads(run("probe", [python, "-c", PROBE, *names], environment, 300))
    except Failure as e:
        raise Failure(f"{python} cannot import {' and '.join(names)} ({e}); name an interpreter that can with --python PATH")


def check_jemalloc(found):
    if not found["jemalloc"]:
        raise Failure("libjemalloc.so.2 is not installed; install jemalloc (Debian: libjemalloc2), or measure the peer as it "
                      "comes with --no-jemalloc")


# ---- the machine ----------------------------------------------------------------------------------------------------
def check_binary(args):
    if not os.access(args.spotter, os.X_OK) or os.path.isdir(args.spotter):
        raise Failure(f"no program at {args.spotter}; build it with 'cmake --preset release && cmake --build --preset release', "
                      "or name it with --spotter PATH")


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


# ---- figures --------------------------------------------------------------------------------------------------------
def spread(values):
    return {"median": statistics.median(values), "min": min(values), "max": max(values)}


def cell(values, digits):
    return "{median:.{d}f} [{min:.{d}f}-{max:.{d}f}]".format(**values, d=digits)

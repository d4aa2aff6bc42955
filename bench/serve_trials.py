# SPDX-License-Identifier: Apache-2.0
"""The trials of `spotter serve` in full: overload, deadlines, slow clients, limits, ends and kills, exchanges of a model, hanging
workers, books that balance. An hour and a half in all; the tests have a short form of each.

    python3 bench/serve_trials.py RUN OTHER_RUN IMAGES [--only NAME ...] [--short] [--spotter build/release/spotter]

Prints what was measured, and what it is meant to be; ends with an error when a promise is broken or an aim is not met.
"""
import argparse
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "tests" / "serve"))
from service import pictures  # noqa: E402
from trials import Subject  # noqa: E402
from trials.all import TRIALS  # noqa: E402


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run", metavar="RUN")
    p.add_argument("other", metavar="OTHER_RUN", help="one whose model answers otherwise")
    p.add_argument("images", metavar="IMAGES")
    p.add_argument("--only", action="append", choices=[t.name for t in TRIALS])
    p.add_argument("--short", action="store_true", help="as in the tests: two minutes in all")
    p.add_argument("--spotter", default=str(ROOT / "build" / "release" / "spotter"))
    args = p.parse_args()
    subject = Subject(args.spotter, args.run, args.other, [f.read_bytes() for f in pictures(args.images)[::37][:100]])
    missed = 0
    for trial in TRIALS:
        if args.only and trial.name not in args.only:
            continue
        scale = trial.short if args.short else trial.full
        begin = time.monotonic()
        print(f"{trial.name} {scale or ''}", flush=True)
        try:
            figures = trial.run(subject, **scale)
        except Exception as error:  # the other trials are worth their hour all the same
            print(f"  BROKEN: {error!r}", flush=True)
            missed += 1
            continue
        for figure in figures:
            print(f"  {figure}", flush=True)
        missed += sum(not figure.met for figure in figures)
        print(f"  {time.monotonic() - begin:.0f} s", flush=True)
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()

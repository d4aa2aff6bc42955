# SPDX-License-Identifier: Apache-2.0
"""The trials of `spotter serve` (trials/), in their short form.

    check_load.py SPOTTER RUN OTHER_RUN PICTURES
"""
import sys
import time

from service import pictures
from trials import Subject
from trials.all import TRIALS

spotter, run, other, folder = sys.argv[1:]
subject = Subject(spotter, run, other, [p.read_bytes() for p in pictures(folder)])
for trial in TRIALS:
    begin = time.monotonic()
    figures = trial.run(subject, **trial.short)
    print(f"{trial.name} ({time.monotonic() - begin:.1f} s)", *figures, sep="\n  ", flush=True)

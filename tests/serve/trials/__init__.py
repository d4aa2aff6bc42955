# SPDX-License-Identifier: Apache-2.0
"""Trials of `spotter serve` under load and faults: each with a service of its own, in a short form for the tests and in full
for bench/serve_trials.py. A trial fails (AssertionError) where a promise is broken that holds on any machine, and returns
what it measured."""
import dataclasses


@dataclasses.dataclass
class Subject:
    """What is put to the trials."""
    spotter: str
    run: str    # a run's folder
    other: str  # another one, whose model answers otherwise
    images: list  # files' contents


@dataclasses.dataclass
class Figure:
    what: str
    value: float
    unit: str = ""
    most: float = None   # what it is meant to be at most,
    least: float = None  # or at least; None: it is only told

    @property
    def met(self):
        return not (self.most is not None and self.value > self.most) and not (self.least is not None and self.value < self.least)

    def __str__(self):
        value = f"{self.value:,.0f}" if float(self.value).is_integer() or abs(self.value) >= 100 else f"{self.value:.3g}"
        aim = f"at most {self.most:.4g}" if self.most is not None else f"at least {self.least:.4g}" if self.least is not None else ""
        return f"{self.what}: {value}{' ' + self.unit if self.unit else ''}" + (f" ({aim}{'' if self.met else ': NOT MET'})" if aim else "")

# SPDX-License-Identifier: Apache-2.0
"""The list of trials."""
import dataclasses
import typing

from trials import bookkeeping, deadlines, ending, exchange, health, isolation, limits, overload, slow_clients


@dataclasses.dataclass
class Trial:
    name: str
    run: typing.Callable  # (subject, **scale) -> [Figure]
    short: dict
    full: dict


TRIALS = [
    Trial("overload", overload.run, {"seconds": 3}, {"seconds": 60}),
    Trial("deadlines", deadlines.run, {"times": 1}, {"times": 20}),
    Trial("isolation", isolation.run, {"requests": 400}, {"requests": 10_000}),
    Trial("slow clients", slow_clients.run, {"each": 300, "idle": 300}, {"each": 1000, "idle": 5000, "aside": True}),
    Trial("limits", limits.run, {"times": 5}, {"times": 1000}),
    Trial("ending", ending.run, {"times": 2}, {"times": 200}),
    Trial("exchange", exchange.run, {"swaps": 10, "pause": 0.3}, {"swaps": 1000, "pause": 0.1}),
    Trial("health", health.run, {}, {}),
    Trial("bookkeeping", bookkeeping.run, {"requests": 4000}, {"requests": 1_000_000}),
]

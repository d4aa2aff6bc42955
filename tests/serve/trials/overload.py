# SPDX-License-Identifier: Apache-2.0
"""More requests than the service can answer: what is taken is answered in time, the rest is turned away at once, and when
it is over all is as before."""
import asyncio
import statistics
import time

from service import Service
from traffic import closed_loop, kept_loop, one, open_loop, picture, quantile, request
from trials import Figure

QUEUE = 8


def run(subject, seconds):
    with Service(subject.spotter, subject.run, "--threads", 1, "--queue", QUEUE) as service:
        data = request(service, picture(1500))
        answers = asyncio.run(closed_loop(service, data, 4, seconds))
        assert {a[0] for a in answers} == {200}, {a[0] for a in answers}
        capacity = len(answers) / seconds
        batch = service.metric("spotter_batch_duration_seconds_sum") / service.metric("spotter_batch_duration_seconds_count")
        statuses = asyncio.run(kept_loop(service, request(service, picture(32), close=False), QUEUE, seconds))
        assert set(statuses) == {200}, "as many clients as places, and some were turned away: " + str(statuses.count(503))
        calm = [a[1] for a in asyncio.run(open_loop(service, data, 0.5 * capacity, seconds)) if a[0] == 200]
        memory = service.memory()
        figures = [Figure("capacity", capacity, "requests/s"), Figure("p99 at half of it", 1000 * quantile(calm, 0.99), "ms")]
        for load in (2, 10):
            answers = asyncio.run(open_loop(service, data, load * capacity, seconds))
            assert {a[0] for a in answers} <= {200, 503}, {a[0] for a in answers}
            taken = [a[1] for a in answers if a[0] == 200]
            refused = [a[1] for a in answers if a[0] == 503]
            assert refused and all(b"\r\nRetry-After: 1\r\n" in a[2] for a in answers if a[0] == 503)
            # This client shares the cores with the service, so that capacity itself is less than alone.
            assert quantile(taken, 0.99) < 4 * (QUEUE + 2) / capacity, (quantile(taken, 0.99), capacity)
            assert statistics.median(refused) < 0.5 * QUEUE / capacity
            figures += [Figure(f"{load} times capacity, answered of capacity", 100 * len(taken) / seconds / capacity, "%", least=95),
                        Figure(f"{load} times capacity, p99 of what is taken", 1000 * quantile(taken, 0.99), "ms", most=1000 * (QUEUE / capacity + 2 * batch)),
                        Figure(f"{load} times capacity, turned away", len(refused), "requests"),
                        Figure(f"{load} times capacity, p99 of being turned away", 1000 * quantile(refused, 0.99), "ms", most=5)]
        begin = time.perf_counter()
        while (answer := asyncio.run(one(service, data)))[0] != 200 or answer[1] > quantile(calm, 0.99):
            assert time.perf_counter() < begin + 5, "it does not recover"
        figures.append(Figure("back to the p99 of before", time.perf_counter() - begin, "s", most=2))
        after = [a[1] for a in asyncio.run(open_loop(service, data, 0.5 * capacity, seconds)) if a[0] == 200]
        assert statistics.median(after) < 3 * statistics.median(calm) + 0.05, (statistics.median(calm), statistics.median(after))
        assert service.metric('spotter_rejected_total{reason="queue_full"}') == service.metric('spotter_requests_total{route="/api/predict",code="503"}')
        figures.append(Figure("growth of memory", 100 * (service.memory() / memory - 1), "%", most=2))
        return figures

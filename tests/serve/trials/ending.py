# SPDX-License-Identifier: Apache-2.0
"""Ended or killed under load: ended, it loses no request that it took; killed, it is there again at once, on the same port."""
import asyncio
import signal
import time

from service import Service
from traffic import REFUSED, UNANSWERED, closed_loop, picture, quantile, request, until
from trials import Figure


def run(subject, times):
    data_of = picture(1500)
    seconds, answered, port, ready_after = [], 0, 0, []
    for _ in range(times):
        with Service(subject.spotter, subject.run) as service:
            async def end_under_load():
                load = asyncio.create_task(closed_loop(service, request(service, data_of), 8, 3))
                await asyncio.sleep(0.7)
                service.process.send_signal(signal.SIGTERM)
                begin = time.monotonic()
                while service.process.poll() is None and time.monotonic() < begin + 15:
                    await asyncio.sleep(0.02)
                return await load, time.monotonic() - begin
            answers, took = asyncio.run(end_under_load())
            statuses = [a[0] for a in answers]
            assert service.process.returncode == 0 and took < 10, (service.process.returncode, took)
            assert statuses.count(UNANSWERED) == 0 and statuses.count(200) > 5, {s: statuses.count(s) for s in set(statuses)}
            assert REFUSED in statuses, "nobody is let in any more"
            seconds.append(took)
            answered += statuses.count(200)
    for _ in range(times):
        begin = time.monotonic()
        with Service(subject.spotter, subject.run, port=port) as service:
            port = service.port
            until(lambda: service.ask("GET", "/v2/health/ready")[0] == 200, 5, "it is not ready")
            ready_after.append(time.monotonic() - begin)

            async def kill_under_load():
                load = asyncio.create_task(closed_loop(service, request(service, data_of), 8, 1))
                await asyncio.sleep(0.7)
                service.process.kill()
                return await load
            assert {a[0] for a in asyncio.run(kill_under_load())} >= {200, REFUSED}
            service.process.wait(20)
            service.process.returncode = 0  # it was meant to
    return [Figure(f"ended under load {times} times, requests lost", 0, f"of {answered}", most=0), Figure("the longest end", max(seconds), "s", most=10),
            Figure(f"killed {times} times, ready again after (p99)", quantile(ready_after, 0.99), "s", most=5)]

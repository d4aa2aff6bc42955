# SPDX-License-Identifier: Apache-2.0
"""Behind its deadline, or for a client that has hung up, nothing is computed."""
import asyncio
import socket

from service import Service
from traffic import one, picture, request, until
from trials import Figure


def run(subject, times):
    late, gone, computed_for_the_gone = 0, 0, 0
    with Service(subject.spotter, subject.run, "--threads", 1, "--deadline", 0.2) as service:
        data, answered = request(service, picture(1500)), 0

        async def burst():
            return await asyncio.gather(*(one(service, data) for _ in range(60)))
        for _ in range(times):
            statuses = [a[0] for a in asyncio.run(burst())]
            assert set(statuses) == {200, 504}, set(statuses)
            answered, late = answered + statuses.count(200), late + statuses.count(504)
        assert service.metric("spotter_images_total") == answered, "an image was computed for nobody"
        assert service.metric('spotter_rejected_total{reason="deadline"}') == late
    with Service(subject.spotter, subject.run, "--threads", 1) as service:
        data = request(service, picture(1500))
        for _ in range(times):
            before = service.metric("spotter_images_total"), service.metric('spotter_rejected_total{reason="client_gone"}')
            sockets = [socket.create_connection(("127.0.0.1", service.port)) for _ in range(60)]
            for client in sockets:
                client.sendall(data)
            for client in sockets:
                client.close()
            until(lambda: service.metric("spotter_connections") <= 1 and service.metric("spotter_open_requests") == 0, 20, "requests of clients that have gone stay")
            computed = service.metric("spotter_images_total") - before[0]
            dropped = service.metric('spotter_rejected_total{reason="client_gone"}') - before[1]
            assert computed < 30 < dropped, (computed, dropped)
            gone, computed_for_the_gone = gone + dropped, computed_for_the_gone + computed
        assert asyncio.run(one(service, data))[0] == 200
    return [Figure("requests behind their deadline, computed", 0, f"of {late}", most=0), Figure("requests dropped because their client had gone", gone),
            Figure("images computed before their client went", computed_for_the_gone)]

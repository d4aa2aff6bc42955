# SPDX-License-Identifier: Apache-2.0
"""Clients that send a byte a second, read one a second, or do nothing: cut off in time, and nobody waits for them."""
import resource
import select
import socket
import time

from service import Service
from traffic import picture, quantile, request, until
from trials import Figure


def run(subject, each, idle):
    wanted = 3 * each + idle + 512
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files[0], min(files[1], wanted)), files[1]))
    with Service(subject.spotter, subject.run) as service:
        small = picture(32)
        alone = [timed(service, small) for _ in range(300)]
        memory, threads = service.memory(), service.threads()
        data = request(service, picture(1500), close=False)
        head = data[:data.index(b"\r\n\r\n")].rsplit(b": ", 1)[0] + b": 33000000\r\n\r\n"
        page = f"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n\r\n".encode() * 200
        kinds = [(b"POST /api/predict HTTP/1.1\r\nHost: 127.0", "header")] * each + [(data[:20000], "body")] * (each // 2) + \
                [(head, "body")] * (each - each // 2) + [(page, "reader")] * each + [(b"", "idle")] * idle
        began, cut, coming, waits = {}, {}, [], []
        watch, clients = select.epoll(), {}
        for content, kind in kinds:
            client = socket.socket()
            if kind == "reader":
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            client.connect(("127.0.0.1", service.port))
            client.setblocking(False)
            if content:
                client.send(content)
            clients[client.fileno()] = client, kind
            began[client.fileno()] = time.monotonic()
            watch.register(client, select.EPOLLRDHUP)
        active = [file for file, (_, kind) in clients.items() if kind != "idle"]
        end, most, turn, pages, refused = time.monotonic() + 60, 0, 0, -1, 0
        settled = None  # since when the readers have got what fits their connections, and block
        while len(cut) < len(clients) and time.monotonic() < end:
            for file, _ in watch.poll(0.05):
                if file not in cut:
                    cut[file] = time.monotonic() - began[file]
                    watch.unregister(file)
            turn += 1
            if settled is None and pages == (pages := service.metric('spotter_requests_total{route="/api/openapi.json"')):
                settled = time.monotonic()
                began.update({file: settled for file, (_, kind) in clients.items() if kind == "reader"})
            for file in active[turn % 16::16]:  # about a byte a second, each
                client, kind = clients[file]
                try:
                    client.recv(1) if kind == "reader" else client.send(b"x")
                except OSError:
                    pass
            begin = time.perf_counter()
            status = service.ask("POST", "/api/predict", small, {"Content-Type": "image/jpeg"})[0]
            # A body has a place for its first second, before it counts as slow: until then there may be none.
            assert status == 200 or (status == 503 and settled is None), status
            refused += status == 503
            (coming if settled is None else waits).append(time.perf_counter() - begin)
            most = max(most, service.metric("spotter_connections"))
        growth, more_threads = (service.memory() - memory) / 2**20, service.threads() - threads
        left = [clients[file][1] for file in clients if file not in cut]
        assert not left, f"{len(left)} slow clients are still connected: {sorted(set(left))}"
        told = set()
        for client, kind in clients.values():
            if kind in ("header", "body"):
                try:
                    told.add(client.recv(12))  # those for whose long bodies there was no room were told so
                except OSError:
                    pass
            client.close()
        assert told <= {b"", b"HTTP/1.1 503"}, told
        assert quantile(coming + waits, 0.9) < 0.2, quantile(coming + waits, 0.9)
        assert more_threads == 0
        until(lambda: service.metric("spotter_connections") <= 1, 5, "connections stay")
        times = {kind: [cut[f] for f in cut if clients[f][1] == kind] for kind in ("header", "body", "reader", "idle")}
        assert max(t for kind in times for t in times[kind]) < 15, {kind: max(t) for kind, t in times.items() if t}
        assert service.predict(small)
    return [Figure("clients at once", most), Figure("a good client, p99 before", 1000 * quantile(alone, 0.99), "ms"),
            Figure("p99 while they come and all send", 1000 * quantile(coming, 0.99), "ms"), Figure("of those, turned away", refused, f"of {len(coming)}"), Figure("p99 beside them", 1000 * quantile(waits, 0.99), "ms", most=1200 * quantile(alone, 0.99)),
            Figure("memory for all of them", growth, "MB"), *(Figure(f"{kind}: cut off at the latest after", max(t), "s", most=11) for kind, t in times.items() if t)]


def timed(service, image):
    begin = time.perf_counter()
    assert service.predict(image)
    return time.perf_counter() - begin

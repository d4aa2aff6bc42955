# SPDX-License-Identifier: Apache-2.0
"""Clients that send a byte a second, read one a second, or do nothing: cut off in time, and nobody waits for them."""
import dataclasses
import multiprocessing
import os
import resource
import select
import socket
import time

from service import Service
from traffic import picture, quantile, request, until
from trials import Figure

KINDS = ("header", "body", "reader", "idle")
TURNS = 200  # in which the slow clients send or read their byte, in about a second: they don't all do it at once


def run(subject, each, idle, aside=False):
    """`aside`: the slow clients take only what time of the processors nobody else wants, as if they had their own."""
    with Service(subject.spotter, subject.run) as service:
        small = picture(32)
        alone = [ask(service, small)[1] for _ in range(1000 if aside else 300)]
        memory, threads = service.memory(), service.threads()
        ours, theirs = multiprocessing.Pipe(duplex=False)
        settled = multiprocessing.Event()
        crowd = multiprocessing.Process(target=slow_clients, args=(service, each, idle, aside, settled, theirs), daemon=True)
        crowd.start()
        coming, beside, most, refused, looked = [], [], 0, 0, 0
        while crowd.is_alive() and not ours.poll():
            was_settled = settled.is_set()
            status, seconds = ask(service, small)
            # A body has a place for its first second: until then there may be none.
            assert status == 200 or (status == 503 and not was_settled), status
            refused += status == 503
            (beside if was_settled else coming).append(seconds)
            if time.monotonic() > looked + 0.2:
                most, looked = max(most, service.metric("spotter_connections")), time.monotonic()
        growth, more_threads = (service.memory() - memory) / 2**20, service.threads() - threads
        seen = ours.recv()
        crowd.join()
        assert not seen.left, f"{len(seen.left)} slow clients are still connected: {sorted(set(seen.left))}"
        # Those for whose long bodies there was no room were told so.
        assert seen.told <= {b"", b"HTTP/1.1 503"}, seen.told
        assert quantile(coming + beside, 0.9) < 0.2, quantile(coming + beside, 0.9)
        assert more_threads == 0
        until(lambda: service.metric("spotter_connections") <= 1, 5, "connections stay")
        latest = {kind: max(times) for kind, times in seen.cut.items() if times}
        assert max(latest.values()) < 15, latest
        assert service.predict(small)
    return [Figure("clients at once", most),
            Figure("a good client, p99 before", 1000 * quantile(alone, 0.99), "ms"),
            Figure("p99 while they come and all send", 1000 * quantile(coming, 0.99), "ms"),
            Figure("of those, turned away", refused, f"of {len(coming)}"),
            Figure("p99 beside them", 1000 * quantile(beside, 0.99), f"ms, n = {len(beside)}", most=1200 * quantile(alone, 0.99)),
            Figure("memory for all of them", growth, "MB"),
            *(Figure(f"{kind}: cut off at the latest after", seconds, "s", most=11) for kind, seconds in latest.items())]


def ask(service, image):
    """(status, seconds) of a good client's request."""
    begin = time.perf_counter()
    status = service.ask("POST", "/api/predict", image, {"Content-Type": "image/jpeg"})[0]
    seconds = time.perf_counter() - begin
    time.sleep(0.002)
    return status, seconds


@dataclasses.dataclass
class Seen:
    """What became of the slow clients."""
    cut: dict   # of each kind: after how many seconds its clients were cut off
    left: list  # the kinds of those that were not
    told: set   # the first bytes of what they were told


def slow_clients(service, each, idle, aside, settled, pipe):
    """A process of its own: `each` clients of three kinds, `idle` of the fourth, until all are cut off. `settled` is set when the
    readers have got what fits their connections, and block, and the bodies have had the second after which they count as slow."""
    if aside:
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
    wanted = 3 * each + idle + 512
    files = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(files[0], min(files[1], wanted)), files[1]))
    data = request(service, picture(1500), close=False)
    head = data[:data.index(b"\r\n\r\n")].rsplit(b": ", 1)[0] + b": 33000000\r\n\r\n"
    page = f"GET /api/openapi.json HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n\r\n".encode() * 200
    contents = [(b"POST /api/predict HTTP/1.1\r\nHost: 127.0", "header")] * each + [(data[:20000], "body")] * (each // 2) + \
               [(head, "body")] * (each - each // 2) + [(page, "reader")] * each + [(b"", "idle")] * idle
    began, cut, clients, watch = {}, {}, {}, select.epoll()
    for content, kind in contents:
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
    came = looked = time.monotonic()
    end, turn, pages = came + 60, 0, -1
    while len(cut) < len(clients) and time.monotonic() < end:
        for file, _ in watch.poll(1 / TURNS):
            if file not in cut:
                cut[file] = time.monotonic() - began[file]
                watch.unregister(file)
        turn += 1
        now = time.monotonic()
        if not settled.is_set() and now > looked + 0.1:
            looked = now
            no_more = pages == (pages := service.metric('spotter_requests_total{route="/api/openapi.json"'))
            if no_more and now > came + 1.5:
                settled.set()
                began.update({file: now for file, (_, kind) in clients.items() if kind == "reader"})
        for file in active[turn % TURNS::TURNS]:
            client, kind = clients[file]
            try:
                client.recv(1) if kind == "reader" else client.send(b"x")
            except OSError:
                pass
    told = set()
    for client, kind in clients.values():
        if kind in ("header", "body"):
            try:
                told.add(client.recv(12))
            except OSError:
                pass
        client.close()
    times = {kind: [cut[file] for file in cut if clients[file][1] == kind] for kind in KINDS}
    pipe.send(Seen(times, [clients[file][1] for file in clients if file not in cut], told))

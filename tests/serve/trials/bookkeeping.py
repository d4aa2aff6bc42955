# SPDX-License-Identifier: Apache-2.0
"""The metrics agree with what the clients saw: as many answers of every status at every route, and no more series however
wild the requests are."""
import collections
import multiprocessing
import random
import re
import shutil
import socket
import subprocess

from service import Service
from trials import Figure

PIPELINED = 8


def kinds(images):
    """(route, content or None, headers): the route as the metrics name it; a star in the path stands for anything."""
    file = "Content-Type: application/octet-stream\r\n"
    return [("GET", "/v2", "/v2", None, ""), ("GET", "/api/models", "/api/models", None, ""), ("GET", "/nothing/*", "none", None, ""),
            ("GET", "/v2/models/*", "/v2/models/{model}", None, ""), ("DELETE", "/api/predict", "none", None, ""),
            ("POST", "/api/predict", "/api/predict", images[0], file), ("POST", "/api/predict?top=1", "/api/predict", images[-1], file),
            ("POST", "/api/predict?model=*", "/api/predict", images[0], file), ("POST", "/api/predict", "/api/predict", b"no image", file),
            ("POST", "/api/predict", "/api/predict", b"{}", "Content-Type: application/json\r\nX-*: *\r\n")]


def more(connection):
    data = connection.recv(1 << 16)
    assert data, "the service has hung up"
    return data


def client(port, images, seed, requests, results):
    rng, seen, known = random.Random(seed), collections.Counter(), kinds(images)
    connection, received = None, b""
    for _ in range(requests // PIPELINED):
        if connection is None:
            connection, received = socket.create_connection(("127.0.0.1", port), timeout=20), b""
        picked = [rng.choice(known) for _ in range(PIPELINED)]
        text = b""
        for method, path, _, content, headers in picked:
            wild = f"{rng.randrange(1 << 40):x}"
            text += (f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n{headers}Content-Length: {len(content or b'')}\r\n\r\n").replace("*", wild).encode()
            text += content or b""
        connection.sendall(text)
        for _, _, route, _, _ in picked:
            while (end := received.find(b"\r\n\r\n")) < 0:
                received += more(connection)
            length = int(re.search(rb"content-length: (\d+)", received[:end].lower())[1])
            while len(received) < end + 4 + length:
                received += more(connection)
            seen[route, received[9:12].decode()] += 1
            closes = b"connection: close" in received[:end].lower()
            assert not closes, received[:end]
            received = received[end + 4 + length:]
    connection.close()
    results.put(seen)


def counted(service):
    text = service.ask("GET", "/metrics")[2].decode()
    return text, {(m[1], m[2]): int(m[3]) for m in re.finditer(r'^spotter_requests_total\{route="(.*?)",code="(\d+)"\} (\d+)$', text, re.M)}


def series(text):
    return {line.rsplit(" ", 1)[0] for line in text.splitlines() if not line.startswith("#")}


def run(subject, requests):
    fork = multiprocessing.get_context("fork")
    with Service(subject.spotter, subject.run) as service:
        seen, series_of = collections.Counter(), []
        for half in range(2):
            results = fork.Queue()
            clients = [fork.Process(target=client, args=(service.port, subject.images, 2 * half + i, requests // 4, results)) for i in range(2)]
            for process in clients:
                process.start()
            for process in clients:
                process.join()
                assert process.exitcode == 0, "a client failed"
            for _ in clients:
                seen += results.get()
            text, counts = counted(service)
            series_of.append(series(text))
        own = {key: n for key, n in counts.items() if key[0] != "/metrics"}
        assert own == seen, f"counted {own}, seen {dict(seen)}"
        assert series_of[1] - series_of[0] <= {line for line in series_of[1] if "/metrics" in line}, series_of[1] - series_of[0]
        if shutil.which("promtool"):
            checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
            assert checked.returncode == 0, checked.stderr
    return [Figure("requests of ten kinds", sum(seen.values())), Figure("difference between counted and seen", 0, most=0), Figure("series", len(series_of[1]))]

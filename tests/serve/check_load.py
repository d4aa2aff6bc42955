# SPDX-License-Identifier: Apache-2.0
"""`spotter serve` under more load than it can take, with slow and vanishing clients, and told to end meanwhile.

    check_load.py SPOTTER RUN

The pictures are large, so that decoding them is slow and a client in Python can ask for ten times what the service can do.
"""
import asyncio
import io
import random
import resource
import signal
import socket
import statistics
import sys
import time

from PIL import Image

from service import Service

spotter, run = sys.argv[1:]


def large_picture(side):
    rng = random.Random(3)
    noise = Image.frombytes("RGB", (64, 64), rng.randbytes(64 * 64 * 3)).resize((side, side))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90)
    return out.getvalue()


PICTURE = large_picture(1500)


def request_of(service):
    return (f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Type: image/jpeg\r\n"
            f"Connection: close\r\nContent-Length: {len(PICTURE)}\r\n\r\n").encode() + PICTURE


async def one(service):
    """(status, seconds, header); status 0: refused at the door; -1: taken, and not answered."""
    begin = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    except OSError:
        return 0, time.perf_counter() - begin, b""
    try:
        writer.write(request_of(service))
        header = await reader.readuntil(b"\r\n\r\n")
        seconds = time.perf_counter() - begin
        await reader.read()
        return int(header[9:12]), seconds, header
    except (OSError, asyncio.IncompleteReadError):
        return -1, time.perf_counter() - begin, b""
    finally:
        writer.close()


async def closed_loop(service, clients, seconds):
    """So many clients, each asking again as soon as it has its answer."""
    end = time.perf_counter() + seconds

    async def client():
        answers = []
        while time.perf_counter() < end:
            answers.append(await one(service))
        return answers
    return [a for answers in await asyncio.gather(*(client() for _ in range(clients))) for a in answers]


async def open_loop(service, rate, seconds):
    """So many requests a second, whatever becomes of those before."""
    begin, tasks = time.perf_counter(), []
    for i in range(int(rate * seconds)):
        await asyncio.sleep(max(0, begin + i / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(service)))
    return await asyncio.gather(*tasks)


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


# Overload: what is taken is answered in time, the rest is turned away at once, and when it is over all is as before.
QUEUE = 8
with Service(spotter, run, "--threads", 1, "--queue", QUEUE) as service:
    answers = asyncio.run(closed_loop(service, 4, 3))
    assert {a[0] for a in answers} == {200}, {a[0] for a in answers}
    capacity = len(answers) / 3
    calm = quantile([a[1] for a in asyncio.run(open_loop(service, 0.5 * capacity, 2)) if a[0] == 200], 0.5)
    for load in (2, 10):
        answers = asyncio.run(open_loop(service, load * capacity, 3))
        assert {a[0] for a in answers} <= {200, 503}, {a[0] for a in answers}
        taken = [a[1] for a in answers if a[0] == 200]
        refused = [a for a in answers if a[0] == 503]
        assert refused and all(b"\r\nRetry-After: 1\r\n" in a[2] for a in refused)
        print(f"{load} x {capacity:.0f}/s: {len(taken) / 3:.0f}/s answered, p99 {1000 * quantile(taken, 0.99):.0f} ms; "
              f"{len(refused)} refused, p99 {1000 * quantile([a[1] for a in refused], 0.99):.0f} ms")
        # This client shares the cores with the service, so that capacity itself is less than alone.
        assert quantile(taken, 0.99) < 4 * (QUEUE + 2) / capacity, (quantile(taken, 0.99), capacity)
        assert statistics.median(a[1] for a in refused) < 0.5 * QUEUE / capacity
    time.sleep(0.5)
    after = quantile([a[1] for a in asyncio.run(open_loop(service, 0.5 * capacity, 2)) if a[0] == 200], 0.5)
    assert after < 3 * calm + 0.05, (calm, after)
    assert service.metric('spotter_rejected_total{reason="queue_full"}') == service.metric('spotter_requests_total{route="/api/predict",code="503"}')

# Deadlines: behind its time nothing is computed.
with Service(spotter, run, "--threads", 1, "--deadline", 0.2) as service:
    async def burst():
        return await asyncio.gather(*(one(service) for _ in range(60)))
    statuses = [a[0] for a in asyncio.run(burst())]
    assert set(statuses) == {200, 504}, set(statuses)
    assert service.metric("spotter_images_total") == statuses.count(200), "an image was computed for nobody"
    assert service.metric('spotter_rejected_total{reason="deadline"}') == statuses.count(504)

# Clients that vanish: their images are not computed.
with Service(spotter, run, "--threads", 1) as service:
    sockets = []
    for _ in range(60):
        client = socket.create_connection(("127.0.0.1", service.port))
        client.sendall(request_of(service))
        sockets.append(client)
    for client in sockets:
        client.close()
    end = time.monotonic() + 20
    while service.metric("spotter_connections") > 1 or service.metric("spotter_open_requests") > 0:
        assert time.monotonic() < end
        time.sleep(0.05)
    assert service.metric("spotter_images_total") < 30, service.metric("spotter_images_total")
    assert service.metric('spotter_rejected_total{reason="client_gone"}') > 30
    assert asyncio.run(one(service))[0] == 200

# A thousand slow clients, with half of a header, the beginning of a body, or a long body announced: cut off, and nobody waits.
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
with Service(spotter, run) as service:
    begin = time.monotonic()
    slow = []
    announced = request_of(service)[:-len(PICTURE)].replace(str(len(PICTURE)).encode(), b"33000000")
    for i in range(1000):
        client = socket.create_connection(("127.0.0.1", service.port))
        client.setblocking(False)
        client.send((b"POST /api/predict HTTP/1.1\r\nHost: 127.0", request_of(service)[:20000], announced)[i % 3])
        slow.append(client)
    waits = []
    small = large_picture(32)
    while time.monotonic() < begin + 11.5:
        for client in slow:
            try:
                client.send(b"x")
            except OSError:
                pass
        at = time.perf_counter()
        assert service.predict(small)
        waits.append(time.perf_counter() - at)
        time.sleep(0.2)
    for client in slow:
        try:
            answer = client.recv(12)  # those for whose long bodies there was no room were told so
            assert answer in (b"", b"HTTP/1.1 503"), answer
        except ConnectionResetError:
            pass
        except BlockingIOError:
            raise AssertionError("a slow client is still connected")
    assert quantile(waits, 0.9) < 0.2, quantile(waits, 0.9)
    assert service.metric("spotter_connections") <= 1
    for client in slow:
        client.close()

# Killed under load, and there again: on the same port, at once.
port = 0
for _ in range(3):
    begin = time.monotonic()
    with Service(spotter, run, port=port) as service:
        port = service.port
        while service.ask("GET", "/v2/health/ready")[0] != 200:
            assert time.monotonic() < begin + 5
        assert time.monotonic() < begin + 5

        async def kill_under_load():
            load = asyncio.create_task(closed_loop(service, 8, 1))
            await asyncio.sleep(0.7)
            service.process.kill()
            return await load
        assert {a[0] for a in asyncio.run(kill_under_load())} >= {200, 0}
        service.process.wait(20)
        service.process.returncode = 0  # it was meant to

# The end: what was taken is answered, and the program goes.
with Service(spotter, run) as service:
    async def end_under_load():
        load = asyncio.create_task(closed_loop(service, 8, 4))
        await asyncio.sleep(1)
        service.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        while service.process.poll() is None and time.monotonic() < begin + 15:
            await asyncio.sleep(0.02)
        return await load, time.monotonic() - begin
    answers, seconds = asyncio.run(end_under_load())
    statuses = [a[0] for a in answers]
    assert service.process.returncode == 0 and seconds < 10, (service.process.returncode, seconds)
    assert statuses.count(-1) == 0 and statuses.count(200) > 5, {s: statuses.count(s) for s in set(statuses)}
    assert 0 in statuses, "nobody is let in any more"

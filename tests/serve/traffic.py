# SPDX-License-Identifier: Apache-2.0
"""Clients of a `spotter serve` under test, many at once: as soon as an answer is there (closed loop), or so many a second
whatever becomes of those before (open loop)."""
import asyncio
import functools
import io
import random
import time

from PIL import Image


@functools.cache
def picture(side):
    """A JPEG file of noise: a large one is slow to decode, so that a client in Python can ask for ten times what the service can do."""
    rng = random.Random(3)
    noise = Image.frombytes("RGB", (64, 64), rng.randbytes(64 * 64 * 3)).resize((side, side))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90)
    return out.getvalue()


def request(service, body, path="/api/predict", content_type="image/jpeg", close=True):
    return (f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Type: {content_type}\r\n"
            f"{'Connection: close' + chr(13) + chr(10) if close else ''}Content-Length: {len(body)}\r\n\r\n").encode() + body


REFUSED, UNANSWERED = 0, -1  # in place of a status: not let in; let in, and never answered


async def one(service, data):
    """(status, seconds, header) of a request over a connection of its own."""
    begin = time.perf_counter()
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
    except OSError:
        return REFUSED, time.perf_counter() - begin, b""
    try:
        writer.write(data)
        header = await reader.readuntil(b"\r\n\r\n")
        seconds = time.perf_counter() - begin
        await reader.read()
        return int(header[9:12]), seconds, header
    except (OSError, asyncio.IncompleteReadError):
        return UNANSWERED, time.perf_counter() - begin, b""
    finally:
        writer.close()


async def closed_loop(service, data, clients, seconds):
    end = time.perf_counter() + seconds

    async def client():
        answers = []
        while time.perf_counter() < end:
            answers.append(await one(service, data))
        return answers
    return [a for answers in await asyncio.gather(*(client() for _ in range(clients))) for a in answers]


async def kept_loop(service, data, clients, seconds):
    """As closed_loop, each client over one connection: the statuses."""
    end = time.perf_counter() + seconds

    async def client():
        statuses = []
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port)
        while time.perf_counter() < end:
            writer.write(data)
            header = await reader.readuntil(b"\r\n\r\n")
            await reader.readexactly(int(header.lower().split(b"content-length: ")[1].split()[0]))
            statuses.append(int(header[9:12]))
        writer.close()
        return statuses
    return [s for statuses in await asyncio.gather(*(client() for _ in range(clients))) for s in statuses]


async def open_loop(service, data, rate, seconds):
    begin, tasks = time.perf_counter(), []
    for i in range(int(rate * seconds)):
        await asyncio.sleep(max(0, begin + i / rate - time.perf_counter()))
        tasks.append(asyncio.create_task(one(service, data)))
    return await asyncio.gather(*tasks)


def quantile(values, q):
    return sorted(values)[min(len(values) - 1, int(q * len(values)))]


def until(true, seconds, what):
    """Waits for something to become true; its value."""
    end = time.monotonic() + seconds
    while not (value := true()):
        assert time.monotonic() < end, what
        time.sleep(0.02)
    return value

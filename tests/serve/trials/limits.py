# SPDX-License-Identifier: Apache-2.0
"""What is beyond a limit is refused with the status that means it, before it is read, and leaves nothing behind."""
import base64
import gzip
import json
import socket
import time

from service import Service
from traffic import picture
from trials import Figure

MEGABYTES = 8
CHUNK = b"10000\r\n" + bytes(0x10000) + b"\r\n"


def cases(host):
    """(what, bytes, the status)."""
    get, post = b"GET /v2 HTTP/1.1\r\n" + host, b"POST /api/predict HTTP/1.1\r\n" + host

    def body(kind, content, more=b""):
        return post + b"Content-Type: " + kind + b"\r\n" + more + b"Content-Length: %d\r\n\r\n" % len(content) + content
    image = picture(32)
    part = b"--x\r\nContent-Disposition: form-data; name=image; filename=a.jpg\r\n\r\n" + image + b"\r\n"
    return [
        ("a long path", b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + host + b"\r\n", 431),
        ("a long header line", get + b"X: " + b"y" * 9000 + b"\r\n\r\n", 431),
        ("many header lines", get + b"X: y\r\n" * 2000 + b"\r\n", 431),
        ("a body of 33 MB, announced", post + b"Content-Type: image/jpeg\r\nContent-Length: 34603008\r\n\r\n", 413),
        ("a body of 33 MB, in chunks", post + b"Content-Type: image/jpeg\r\nTransfer-Encoding: chunked\r\n\r\n" + CHUNK * 528, 413),
        ("two lengths", post + b"Content-Type: image/jpeg\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello", 400),
        ("257 images in a form", body(b"multipart/form-data; boundary=x", part * 257 + b"--x--"), 413),
        ("257 images in JSON", body(b"application/json", json.dumps({"images": [base64.b64encode(image).decode()] * 257}).encode()), 413),
        ("JSON 33 deep", body(b"application/json", b"[" * 33 + b"]" * 33), 400),
        ("a number beyond all", body(b"application/json", b'{"top": 1e999}'), 400),
        ("no base64", body(b"application/json", b'{"image": "AAA?"}'), 400),
        ("a compressed body", body(b"application/json", gzip.compress(b"{}"), b"Content-Encoding: gzip\r\n"), 415),
        ("text", body(b"text/plain", b"hello"), 415),
    ]


def answer_to(service, data):
    with socket.create_connection(("127.0.0.1", service.port), timeout=20) as client:
        try:
            client.sendall(data)
        except OSError:
            pass  # the answer came before the end, and the connection was closed
        try:
            return client.recv(12)
        except ConnectionResetError:
            return b""


def run(subject, times):
    with Service(subject.spotter, subject.run) as service:
        figures = []
        asked = cases(f"Host: 127.0.0.1:{service.port}\r\n".encode())
        for count in (3, times):
            for what, data, status in asked:
                before = service.memory()
                wanted, lost = b"HTTP/1.1 %d" % status, 0
                for _ in range(count):
                    answer = answer_to(service, data)
                    lost += answer == b""
                    assert answer in (wanted, b""), (what, answer)
                # A client that goes on sending behind the answer may lose it to the reset; most read it.
                assert lost == 0 or (b"chunked" in data and lost <= count // 2), (what, lost)
                end = time.monotonic() + (20 if b"chunked" in data else 0)  # what those took goes back after some seconds
                while (growth := (service.memory() - before) / 2**20) >= MEGABYTES and time.monotonic() < end:
                    time.sleep(0.5)
                if count == times:
                    figures.append(Figure(f"growth of memory after {what}, {times} times", growth, "MB", most=MEGABYTES))
        assert service.predict(picture(32))
        assert service.metric("spotter_open_requests") == 0
        return figures

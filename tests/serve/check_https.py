# SPDX-License-Identifier: Apache-2.0
"""`spotter serve` over https, with pages of another site, and behind a load balancer: its certificate, its farewells.

    check_https.py SPOTTER RUN
"""
import io
import pathlib
import random
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import time

from PIL import Image

from service import Service

spotter, run = sys.argv[1:]
SHOP = "https://shop.example"


def picture(side):
    noise = Image.frombytes("RGB", (64, 64), random.Random(3).randbytes(64 * 64 * 3)).resize((side, side))
    out = io.BytesIO()
    noise.save(out, "JPEG", quality=90)
    return out.getvalue()


def make_certificate(folder):
    certificate, key = pathlib.Path(folder, "certificate.pem"), pathlib.Path(folder, "key.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1", "-out", certificate, "-keyout", key],
                   check=True, capture_output=True)
    return certificate, key


def fails(kind, work):
    try:
        work()
    except kind:
        return True
    return False


def tls_socket(service, context, **more):
    return context.wrap_socket(socket.create_connection(("127.0.0.1", service.port), timeout=20), server_hostname="127.0.0.1", **more)


def get(service, path):
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\n\r\n".encode()


with tempfile.TemporaryDirectory() as folder:
    certificate, key = make_certificate(folder)
    trusting = ssl.create_default_context(cafile=str(certificate))
    arguments = ["--certificate", certificate, "--key", key, "--threads", "1"]
    with Service(spotter, run, *arguments, "--allow-origin", SHOP, tls=trusting) as service:
        # The certificate is shown, and what does not speak TLS gets no further.
        assert service.url.startswith("https://127.0.0.1:"), service.line
        small = picture(16)
        connection = service.connect()
        tops = [service.predict(small, connection=connection)["predictions"][0]["top"] for _ in range(3)]
        assert tops[0] == tops[1] == tops[2] and connection.sock.version() in ("TLSv1.2", "TLSv1.3"), tops
        connection.close()
        assert fails(ssl.SSLCertVerificationError, lambda: tls_socket(service, ssl.create_default_context()))
        with socket.create_connection(("127.0.0.1", service.port), timeout=20) as plain:
            plain.sendall(get(service, "/v2"))
            assert b"HTTP/1.1 200" not in plain.recv(100)

        # Pages: its own, and those of the site that was named.
        body = ("POST", "/api/predict", small)
        kind = {"Content-Type": "image/jpeg"}
        for origin, status in ((service.url, 200), (SHOP, 200), (service.url.replace("https", "http"), 403),
                               (SHOP + ".evil.example", 403), ("https://evil.example", 403), ("null", 403)):
            found, headers, _ = service.ask(*body, kind | {"Origin": origin})
            assert found == status, (origin, found)
            assert headers.get("access-control-allow-origin") == (SHOP if origin == SHOP else None), (origin, headers)
            assert "origin" in headers["vary"].lower(), headers
        asks = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,authorization"}
        found, headers, _ = service.ask("OPTIONS", "/api/predict", None, asks | {"Origin": SHOP})
        assert (found, headers["access-control-allow-origin"]) == (204, SHOP), (found, headers)
        assert "POST" in headers["access-control-allow-methods"] and "authorization" in headers["access-control-allow-headers"].lower()
        found, headers, _ = service.ask("OPTIONS", "/api/predict", None, asks | {"Origin": "https://evil.example"})
        assert found == 403 and "access-control-allow-origin" not in headers, (found, headers)

        # Who says farewell while its request waits: nothing is computed for it.
        large = picture(1500)
        request = (f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Type: image/jpeg\r\n"
                   f"Content-Length: {len(large)}\r\n\r\n").encode() + large
        computed = service.metric("spotter_images_total")
        clients = [tls_socket(service, trusting) for _ in range(60)]
        for client in clients:
            client.sendall(request)
        for client in clients:
            client.setblocking(False)
            fails(ssl.SSLError, client.unwrap)  # sends its farewell, and does not wait for the other
            client.close()
        end = time.monotonic() + 30
        while service.metric("spotter_connections") > 1 or service.metric("spotter_open_requests") > 0:
            assert time.monotonic() < end
            time.sleep(0.05)
        assert service.metric('spotter_rejected_total{reason="client_gone"}') > 30
        assert service.metric("spotter_images_total") - computed < 30, service.metric("spotter_images_total") - computed

        # Too long a body: told to those alone who may ask at all, and counted.
        long = {"Content-Type": "image/jpeg", "Content-Length": str(1 << 40)}
        assert service.ask("POST", "/api/predict", None, long)[0] == 413
        assert service.ask("POST", "/api/predict", None, long | {"Host": "evil.example"})[0] == 421
        assert service.ask("POST", "/api/predict", None, long | {"Origin": "https://evil.example"})[0] == 403
        assert service.metric('spotter_requests_total{route="/api/predict",code="413"}') == 1

        # The end, told in the way of TLS: a cut connection can't be taken for it.
        idle = tls_socket(service, trusting, suppress_ragged_eofs=False)
        idle.sendall(get(service, "/v2/health/live"))
        received = b""
        while b"true" not in received:
            received += (piece := idle.recv(4096))
            assert piece, received
        service.process.send_signal(signal.SIGTERM)
        while (piece := idle.recv(4096)) != b"":  # SSLEOFError when it is cut
            received += piece
        idle.close()
        assert service.process.wait(20) == 0

# Told to end, behind a load balancer: not ready, and at work until nobody sends it anything any more.
with Service(spotter, run, "--lame-duck", "1.5") as service:
    assert service.ask("GET", "/v2/health/ready")[0] == 200
    service.process.send_signal(signal.SIGTERM)
    begin = time.monotonic()
    while service.ask("GET", "/v2/health/ready")[0] == 200:
        assert time.monotonic() < begin + 1
        time.sleep(0.02)
    assert service.predict(picture(16))["predictions"][0]["top"]
    assert service.ask("GET", "/v2/health/live")[0] == 200 and service.metric("spotter_ready") == 0
    assert service.process.wait(20) == 0
    assert time.monotonic() - begin > 1.4

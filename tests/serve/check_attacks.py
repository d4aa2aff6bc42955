# SPDX-License-Identifier: Apache-2.0
"""Raw HTTP attacks and mutated images against `spotter serve`: refused in order, nothing crashes, memory stays flat.

    check_attacks.py SPOTTER RUN PICTURES [--mutants 2000] [--megabytes 24]
"""
import argparse
import io
import itertools
import json
import pathlib
import random
import socket
import time

from PIL import Image

from service import Service, pictures

parser = argparse.ArgumentParser()
parser.add_argument("spotter")
parser.add_argument("run")
parser.add_argument("pictures")
parser.add_argument("--mutants", type=int, default=2000)
parser.add_argument("--megabytes", type=float, default=24, help="by which memory may grow")
args = parser.parse_args()
files = [p.read_bytes() for p in pictures(args.pictures)[:8]]


def http_attacks(host, model):
    """(bytes, the statuses that may come back; None: the connection is closed without a word)."""
    h = f"Host: {host}\r\n".encode()
    p = b"POST /api/predict HTTP/1.1\r\n" + h + b"Content-Type: image/png\r\n"
    bad = {400}
    # Two lengths, or none that is one.
    for pair in ((b"5", b"6"), (b"5", b"5x"), (b"5", b"")):
        yield p + b"".join(b"Content-Length: " + v + b"\r\n" for v in pair) + b"\r\nhello", bad
    for value in (b"-1", b"+5", b"5x", b"x", b"0x5", b"5 5", b"5,6", b"1e3", b"18446744073709551616", b"99999999999999999999999", b"\xff", b"5;", b"5.0"):
        yield p + b"Content-Length: " + value + b"\r\n\r\nhello", bad
    yield p + b"Content-Length: 18446744073709551615\r\n\r\nhello", {400, 413}
    yield p + b"Content-Length: 9223372036854775807\r\n\r\nhello", {400, 413}
    yield p + b"Content-Length: 4294967296\r\n\r\nhello", {413}
    # A length and chunks: which of them ends the request is what smugglers play with.
    for order in itertools.permutations((b"Content-Length: 5\r\n", b"Transfer-Encoding: chunked\r\n")):
        yield p + b"".join(order) + b"\r\n0\r\n\r\n", bad
    for coding in (b"gzip", b"chunked, gzip", b"identity", b"xchunked", b"chunked chunked", b"\x0bchunked", b"chunked\x00", b"cow"):
        yield p + b"Transfer-Encoding: " + coding + b"\r\n\r\n0\r\n\r\n", {400, 408, 411, 413, 501}
    yield p + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", bad
    # Chunks.
    t = p + b"Transfer-Encoding: chunked\r\n\r\n"
    for chunk in (b"-1\r\nx\r\n", b"+1\r\nx\r\n", b"x\r\n", b"0x1\r\nx\r\n", b"ffffffffffffffffff\r\nx\r\n", b"1 \r\nxx\r\n", b"1\nx\n0\n\n", b"\r\n",
                  b"1\r\nxy\r\n", b"1\r\nx", b"g\r\n", b"1;\x00\r\nx\r\n0\r\n\r\n", b"\x00\r\n"):
        yield t + chunk, bad | {None}
    for size in (b"7fffffffffffffff", b"ffffffffffffffff", b"ffffffff", b"10000000"):
        yield t + size + b"\r\nx", {400, 413, None}
    yield t + b"1;" + b"x" * 20000 + b"\r\nx\r\n0\r\n\r\n", {400, 413, 431, None}
    yield t + b"0\r\n" + b"X: y\r\n" * 5000 + b"\r\n", {400, 431, None}
    # Request lines.
    for line in (b"GET", b"GET /", b"GET  / HTTP/1.1", b"GET / HTTP/1.1 x", b"GET /\x00 HTTP/1.1", b"GET /\x7f HTTP/1.1", b"G\x00T / HTTP/1.1", b"G(T / HTTP/1.1",
                 b" GET / HTTP/1.1", b"GET / HTTP/2.0", b"GET / HTTP/0.9", b"GET / HTTP/1.10", b"GET / HTTP/11", b"GET / http/1.1", b"GET / HTTP/1.", b"GET\t/\tHTTP/1.1",
                 b"/ GET HTTP/1.1", b"GET / FTP/1.1", b"\xff\xfe / HTTP/1.1", b"PRI * HTTP/2.0", b"GET / HTTP/1.1\x00", b"\x16\x03\x01\x00\xa5\x01", b"GET\r/ HTTP/1.1"):
        yield line + b"\r\n" + h + b"\r\n", bad | {404, 505}
    for target in (b"*", b"evil", b"http://evil.example/", b"http://" + host.encode() + b"/", b"//", b"?", b"#", b"\\"):
        yield b"GET " + target + b" HTTP/1.1\r\n" + h + b"\r\n", bad | {404}
    for target in (b"/../../etc/passwd", b"/%2e%2e/%2e%2e/etc/passwd", b"/api/../v2", b"/v2//models", b"/v2/models/..%2f..", b"/v2/models/%00", b"/serve.js%00", b"/serve.js/",
                   b"/v2/models/" + b"a" * 4000, b"/" + b"/" * 4000, b"/%", b"/%f", b"/%zz", b"/\xc0\xaf", b"/v2/models/{model}", b"/api/predict/.."):
        yield b"GET " + target + b" HTTP/1.1\r\n" + h + b"\r\n", {400, 404, 200, 405}
    yield b"GET /" + b"a" * 100000 + b" HTTP/1.1\r\n" + h + b"\r\n", {414, 431}
    yield b"A" * 100000, {400, 431}
    yield b"A" * 20000 + b" / HTTP/1.1\r\n" + h + b"\r\n", {400, 431}
    # Headers.
    g = b"GET /v2 HTTP/1.1\r\n"
    for lines in (b"", b"Host:\r\n", b"Host: evil.example\r\n", h + h, b"Host: " + host.encode() + b", evil.example\r\n", b"Host: " + host.encode() + b".evil.example\r\n",
                  b"Host: evil@" + host.encode() + b"\r\n", b"Host: [::1\r\n", b"Host: 127.0.0.1:99999\r\n", b"Host: \x00\r\n"):
        yield g + lines + b"\r\n", {400, 421}
    for line in (b"no colon", b": no name", b"X : y", b" folded: x", b"X\x00: y", b"X: \x00", b"X: a\rb", b"X\xff: y", b"X Y: z", b"(X): y", b"X: \x01", b"X: \x7f"):
        yield g + h + line + b"\r\n\r\n", bad | {200 if line.startswith(b"X: ") else 421 if line.startswith(b" ") else 400}
    yield g + h + b"X: a\r\n b\r\n\r\n", {200, 400}  # a folded line: old, and allowed to be understood
    yield g.replace(b"\r\n", b"\n") + h.replace(b"\r\n", b"\n") + b"\n", bad
    yield g + h + b"X: y\n\r\n", bad
    yield g + h + b"X: " + b"y" * 100000 + b"\r\n\r\n", {431}
    yield g + h + b"X: y\r\n" * 10000 + b"\r\n", {431}
    yield g + h + b"".join(b"X%d: y\r\n" % i for i in range(3000)) + b"\r\n", {431}
    for expect in (b"200-ok", b"", b"100-continue, 100-continue", b"\x01"):
        yield g + h + b"Expect: " + expect + b"\r\n\r\n", {200, 400, 417}
    for upgrade in (b"websocket", b"h2c", b"TLS/1.0"):
        yield g + h + b"Connection: Upgrade\r\nUpgrade: " + upgrade + b"\r\n\r\n", {200}
    for origin in (b"http://evil.example", b"null", b"", b"http://" + host.encode() + b".evil.example", b"https://" + host.encode(), b"file://", b"http://localhost"):
        yield g + h + b"Origin: " + origin + b"\r\n\r\n", {403}
    yield b"OPTIONS /api/predict HTTP/1.1\r\n" + h + b"Origin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n", {403}
    for method in (b"OPTIONS", b"TRACE", b"CONNECT", b"DELETE", b"PATCH", b"get", b"FOO"):
        yield method + b" /api/predict HTTP/1.1\r\n" + h + b"\r\n", {400, 405}
    # Bodies that lie about themselves.
    for kind, body in ((b"application/json", b"[" * 100000), (b"application/json", b'{"a":' * 50000 + b"1" + b"}" * 50000), (b"application/json", b'"' + b"\\u0000" * 9999),
                       (b"application/json", b'{"images":[' + b'"AAAA",' * 300 + b'"AAAA"]}'), (b"application/json", b"\xff\xfe{}"), (b"application/json", b'{"image":"\xff"}'),
                       (b"application/json", b'{"image":1e999}'), (b"application/json", b'{"image":"AAAA","top":-9223372036854775809}'),
                       (b"application/json", b'{"top":' + b"9" * 5000 + b"}"), (b"application/json", b"{" + b",".join(b'"k%d":1' % i for i in range(100000)) + b"}"),
                       (b"multipart/form-data", b"x"), (b"multipart/form-data; boundary=", b"----"), (b"multipart/form-data; boundary=a", b"--a\r\n" * 10000),
                       (b"multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data; name=" + b"x" * 100000 + b"\r\n\r\n\r\n--a--"),
                       (b"multipart/form-data; boundary=a", (b"--a\r\nContent-Disposition: form-data; name=f; filename=f\r\n\r\n\r\n") * 1000 + b"--a--"),
                       (b"multipart/form-data; boundary=" + b"a" * 5000, b"--"), (b"image/png", b""), (b"text/plain", b"hello"), (b"", b"hello"),
                       (b"application/x-www-form-urlencoded", b"image=x"), (b"image/svg+xml", b"<svg/>"), (b"image/gif", b"GIF89a"), (b"image/bmp", b"BM")):
        yield (b"POST /api/predict HTTP/1.1\r\n" + h + b"Content-Type: " + kind + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body, {400, 413, 415})
    for body, length in ((b"{}", b"3"), (b"{}", b"-1"), (b"{}", b"x"), (b"{}", b"99999999999999999999"), (b'{"inputs":[]}', b"13"),
                         (b'{"inputs":[{"name":"image","datatype":"UINT8","shape":[1,4611686018427387904,4,3],"parameters":{"binary_data_size":0}}]}', b""),
                         (b'{"inputs":[{"name":"image","datatype":"UINT8","shape":[256,16384,16384,3],"parameters":{"binary_data_size":0}}]}', b""),
                         (b'{"inputs":[{"name":"encoded_image","datatype":"BYTES","shape":[1],"parameters":{"binary_data_size":4}}]}\xff\xff\xff\xff', b"112")):
        length = length or b"%d" % len(body)
        yield (b"POST /v2/models/" + model + b"/infer HTTP/1.1\r\n" + h + b"Inference-Header-Content-Length: " + length + b"\r\nContent-Length: %d\r\n\r\n" % len(body) + body, {400, 413})


def status_of(answer):
    if not answer:
        return None
    assert answer.startswith(b"HTTP/1.1 "), answer[:80]
    return int(answer[9:12])


def ask_raw(service, data, patience):
    """All that comes back. The service may wait for the rest of what looks unfinished; then it is told that nothing follows."""
    with socket.create_connection(("127.0.0.1", service.port), timeout=0.7) as client:
        received, told = b"", False
        try:
            client.sendall(data)
        except OSError:
            pass
        while True:
            try:
                piece = client.recv(65536)
            except TimeoutError:
                if told:
                    return received
                told = True
                try:
                    client.shutdown(socket.SHUT_WR)
                except OSError:
                    return received
                client.settimeout(patience)
                continue
            except OSError:
                return received
            if not piece:
                return received
            received += piece
            if b"\r\n\r\n" in received and not told:
                client.settimeout(0.05)  # only what comes at once


def mutants(rng, count):
    """Valid pictures of every format, with bits flipped, bytes overwritten, cut, joined and repeated."""
    seeds = []
    for content in files:
        picture = Image.open(io.BytesIO(content)).convert("RGB")
        for kind, options in (("JPEG", {}), ("JPEG", {"progressive": True}), ("JPEG", {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"}),
                              ("PNG", {}), ("PNG", {"bits": 4}), ("WEBP", {}), ("WEBP", {"lossless": True})):
            out = io.BytesIO()
            (picture.quantize(16) if "bits" in options else picture).save(out, kind, **options)
            seeds.append(out.getvalue())
    for _ in range(count):
        mutant = bytearray(rng.choice(seeds))
        for _ in range(rng.choice((1, 1, 2, 5, 20))):
            at = rng.randrange(len(mutant)) if mutant else 0
            kind = rng.randrange(7)
            if kind == 0 and mutant:
                mutant[at] ^= 1 << rng.randrange(8)
            elif kind == 1 and mutant:
                mutant[at] = rng.choice((0, 1, 0x7F, 0x80, 0xFF, rng.randrange(256)))
            elif kind == 2:
                del mutant[at:]
            elif kind == 3:
                mutant[at:at] = rng.randbytes(rng.randrange(1, 64))
            elif kind == 4:
                mutant[at:at + rng.randrange(1, 32)] = b""
            elif kind == 5:
                mutant[at:at + 4] = rng.choice((b"\xff\xff\xff\xff", b"\x7f\xff\xff\xff", b"\0\0\0\0", b"\x80\0\0\0"))
            else:
                other = rng.choice(seeds)
                mutant[at:] = other[rng.randrange(len(other)):]
        yield bytes(mutant)


with Service(args.spotter, args.run) as service:
    good = service.predict(files[0])["predictions"]

    def lives():
        assert service.process.poll() is None, service.stderr()
        assert service.predict(files[0])["predictions"] == good

    attacks = list(http_attacks(f"127.0.0.1:{service.port}", pathlib.Path(args.run).name.encode()))
    assert len(attacks) >= 150, len(attacks)
    wrong = []
    for number, (data, allowed) in enumerate(attacks):
        status = status_of(ask_raw(service, data, patience=13))
        if status not in allowed and not (status is None and 400 in allowed):
            wrong.append((number, data[:160], status, allowed))
        if number % 25 == 0:
            lives()
    assert not wrong, "\n".join(map(str, wrong))
    lives()

    # One answer to one request, even where another hides behind it.
    smuggled = ask_raw(service, f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{service.port}\r\nContent-Type: image/png\r\nContent-Length: 5\r\n"
                       "Transfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /v2 HTTP/1.1\r\n\r\n".encode(), 13)
    assert smuggled.count(b"HTTP/1.1 ") == 1, smuggled

    # Bombs: refused by their headers.
    def png(width, height):
        import struct
        import zlib
        def chunk(kind, content):
            return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)) + chunk(b"IDAT", zlib.compress(bytes(1 << 20))) + chunk(b"IEND", b"")
    for width, height in ((30000, 30000), (16384, 16384), (1, 2**31 - 1), (2**31 - 1, 1), (0, 5)):
        begin = time.perf_counter()
        assert service.predict(png(width, height), status=400)["error"]
        assert time.perf_counter() - begin < 0.5

    memory = None
    outcomes = {200: 0, 400: 0}
    connection = service.connect()
    for number, mutant in enumerate(mutants(random.Random(7), args.mutants)):
        status, _, body = service.ask("POST", "/api/predict", mutant, {"Content-Type": "application/octet-stream"}, connection)
        outcomes[status] += 1  # any other status is a KeyError
        answer = json.loads(body)
        assert ("error" in answer) == (status == 400), answer
        if number == args.mutants // 4:
            time.sleep(8)
            memory = service.memory()
        if number % 1000 == 999:
            lives()
    connection.close()
    lives()
    end = time.monotonic() + 20  # what a few large ones took goes back after some seconds
    while (growth := (service.memory() - memory) / 2**20) >= args.megabytes and time.monotonic() < end:
        time.sleep(0.5)
    assert growth < args.megabytes, f"memory grew by {growth:.1f} MB over {args.mutants * 3 // 4} mutants"
    print(f"{len(attacks)} attacks, {args.mutants} mutants: {outcomes[200]} could still be read, {outcomes[400]} refused; memory grew by {growth:.1f} MB")

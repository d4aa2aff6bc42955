# SPDX-License-Identifier: Apache-2.0
"""A `spotter serve` under test: started on a free port, asked, looked at, told to end."""
import http.client
import json
import os
import pathlib
import re
import signal
import subprocess
import tempfile


class Service:
    """with Service(spotter, "run", "--queue", "8") as service: service.ask("GET", "/v2") -> (status, headers, body)"""

    def __init__(self, spotter, *arguments, tls=None, port=0):
        """`tls`: an ssl.SSLContext, for a service with a certificate. `port`: 0 is any that is free."""
        self.tls = tls
        self.errors = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([spotter, "serve", *map(str, arguments), "--port", str(port)], stdout=subprocess.PIPE,
                                        stderr=self.errors, text=True)
        self.line = self.process.stdout.readline()
        found = re.search(r"(https?)://[\d.]+:(\d+)/", self.line)
        if not found:
            self.process.wait(20)
            raise AssertionError("it did not begin: " + self.stderr())
        self.port = int(found.group(2))
        self.url = f"{found.group(1)}://127.0.0.1:{self.port}"

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                if kind is None:
                    raise
        if kind is None:
            assert self.process.returncode == 0, (self.process.returncode, self.stderr())
            assert "Sanitizer" not in self.stderr() and "runtime error:" not in self.stderr(), self.stderr()

    def stderr(self):
        self.errors.seek(0)
        return self.errors.read()

    def connect(self, timeout=20):
        if self.tls:
            return http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout, context=self.tls)
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)

    def ask(self, method, path, body=None, headers=None, connection=None):
        """One request; over a connection of its own, unless one is given."""
        own = connection or self.connect()
        try:
            own.request(method, path, body, headers or {})
            answer = own.getresponse()
            return answer.status, dict((k.lower(), v) for k, v in answer.getheaders()), answer.read()
        finally:
            if connection is None:
                own.close()

    def json(self, method, path, body=None, headers=None, status=200, connection=None):
        found, _, content = self.ask(method, path, body, headers, connection)
        assert found == status, (method, path, found, content[:500])
        return json.loads(content)

    def predict(self, image, query="", **more):
        return self.json("POST", "/api/predict" + query, image, {"Content-Type": "application/octet-stream"}, **more)

    def metric(self, name):
        """The sum of a metric's samples whose name and labels begin like this."""
        text = self.ask("GET", "/metrics")[2].decode()
        return sum(float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if line.startswith(name))

    def memory(self):
        return self.metric("process_resident_memory_bytes")

    def threads(self):
        return len(list(pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()))


def beside_others():
    """How far an answer may be from that to the same image alone, when images of several clients are computed together: Spotter's own
    kernels give the same bits, libtorch's, on processors without bf16, only nearly."""
    own = "avx512_bf16" in pathlib.Path("/proc/cpuinfo").read_text() and os.environ.get("SPOTTER_CPU") != "plain"
    return 0 if own else 1e-5


def same_answer(top, alone):
    """Whether an answer's "top" is the one to the same image alone. Classes of nearly equal probability may change places."""
    named, least = {entry["class"]: entry["probability"] for entry in alone}, alone[-1]["probability"]
    return len(top) == len(alone) and all(abs(e["probability"] - named.get(e["class"], least)) <= beside_others() for e in top)


def pictures(folder):
    return sorted(p for p in pathlib.Path(folder).rglob("*") if p.suffix in (".png", ".jpg"))

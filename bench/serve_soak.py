# SPDX-License-Identifier: Apache-2.0
"""`spotter serve` for as long as one likes under mixed load: good images, unusable ones, clients that vanish, bursts beyond what
it can take, models exchanged meanwhile. Ends with an error when an answer is wrong, an unintended 5xx comes, or memory,
threads or files grow: memory by more than --megabytes, the others at all.

    python3 bench/serve_soak.py RUN IMAGES [--minutes 10] [--clients 8] [--spotter build/release/spotter]

Prints a line a minute, and a summary as JSON. Memory is compared with what it was after the first tenth.
"""
import argparse
import collections
import json
import random
import signal
import socket
import sys
import threading
import time
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "tests" / "serve"))
from service import Service  # noqa: E402

SPOTTER = Path(__file__).resolve().parent.parent / "build" / "release" / "spotter"


class Soak:
    def __init__(self, service, images, end):
        self.service, self.images, self.end = service, images, end
        self.counts, self.wrong, self.lock = collections.Counter(), [], threading.Lock()
        self.expected = [self.top(service.predict(i)) for i in images]

    @staticmethod
    def top(answer):
        return [(c["class"], round(c["probability"], 5)) for c in answer["predictions"][0]["top"]]

    def count(self, what, wrong=None):
        with self.lock:
            self.counts[what] += 1
            if wrong:
                self.wrong.append(wrong)

    def client(self, seed):
        rng, connection = random.Random(seed), self.service.connect()
        while time.monotonic() < self.end and not self.wrong:
            kind, k = rng.random(), rng.randrange(len(self.images))
            image = self.images[k]
            try:
                if kind < 0.05:  # vanishes in the middle
                    with socket.create_connection(("127.0.0.1", self.service.port)) as s:
                        request = f"POST /api/predict HTTP/1.1\r\nHost: 127.0.0.1:{self.service.port}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(image)}\r\n\r\n".encode() + image
                        s.sendall(request[:rng.randrange(len(request) + 1)])
                    self.count("vanished")
                    continue
                broken = kind < 0.15
                if broken:
                    at = rng.randrange(len(image))
                    image = image[:at] + rng.randbytes(4) + image[at + 4 + rng.randrange(100):]
                status, _, body = self.service.ask("POST", "/api/predict", image, {"Content-Type": "image/jpeg"}, connection)
            except OSError as error:
                self.count("lost", f"a request was lost: {error!r}")
                break
            answer = json.loads(body)
            allowed = {200, 400, 503} if broken else {200, 503}
            if status not in allowed:
                self.count(status, f"status {status}: {answer}")
            elif status == 200 and not broken and self.top(answer) != self.expected[k]:
                self.count("swapped", f"image {k}: {self.top(answer)} for {self.expected[k]}")
            else:
                self.count(status)
            if status == 503:
                time.sleep(0.01)
        connection.close()

    def burst(self):
        """Now and then many more clients at once than there are places."""
        while time.monotonic() < self.end and not self.wrong:
            time.sleep(10)
            threads = [threading.Thread(target=self.once) for _ in range(150)]
            for t in threads:
                t.start()
            for t in threads:
                t.join()

    def once(self):
        try:
            status, _, _ = self.service.ask("POST", "/api/predict", self.images[0], {"Content-Type": "image/jpeg"})
            self.count(f"burst {status}", None if status in (200, 503) else f"status {status} in a burst")
        except OSError as error:
            self.count("lost", f"a request of a burst was lost: {error!r}")


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run", metavar="RUN")
    p.add_argument("images", metavar="IMAGES")
    p.add_argument("--minutes", type=float, default=10)
    p.add_argument("--clients", type=int, default=8)
    p.add_argument("--megabytes", type=float, default=32, help="by which memory may grow (default 32)")
    p.add_argument("--spotter", default=str(SPOTTER))
    args = p.parse_args()
    images = [f.read_bytes() for f in sorted(Path(args.images).rglob("*.jpg"))[::37][:100]]
    begin = time.monotonic()
    with Service(args.spotter, args.run, "--queue", "64") as service:
        soak = Soak(service, images, begin + 60 * args.minutes)
        files = service.metric("process_open_fds")  # with one connection, as at the end
        threads = [threading.Thread(target=soak.client, args=(i,)) for i in range(args.clients)] + [threading.Thread(target=soak.burst)]
        for t in threads:
            t.start()
        first, reloads, reloaded, last = None, 0, begin, begin
        while any(t.is_alive() for t in threads):
            time.sleep(1)
            now = time.monotonic()
            if now - reloaded > 5:
                reloaded = now
                service.process.send_signal(signal.SIGHUP)  # the same model anew: answers stay
                reloads += 1
            if first is None and now - begin > 6 * args.minutes:
                first = service.memory()
                first_threads = service.threads()
            if now - last > min(60, 12 * args.minutes):
                last = now
                print(f"{(now - begin) / 60:.1f} min: {dict(soak.counts)}, {service.memory() / 2**20:.1f} MB, {service.metric('process_open_fds'):.0f} files", file=sys.stderr, flush=True)
        time.sleep(1)
        answered = sum(v for k, v in soak.counts.items() if k not in ("vanished", "lost"))
        counted = service.metric('spotter_requests_total{route="/api/predict"')
        growth = (service.memory() - first) / 2**20
        more_threads = service.threads() - first_threads
        more_files = service.metric("process_open_fds") - files
        summary = {"minutes": args.minutes, "requests": dict(soak.counts), "reloads": reloads, "memory_growth_mb": growth,
                   "memory_mb": service.memory() / 2**20, "more_threads": more_threads, "more_files": more_files,
                   "answered": answered, "counted_by_the_service": counted, "wrong": soak.wrong[:5]}
    print(json.dumps(summary))
    if soak.wrong or counted < answered or growth > args.megabytes or more_threads > 0 or more_files > 0:
        sys.exit(1)


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""`spotter serve` beside FastAPI with onnxruntime and Flask with PyTorch: the same network, the same JPEG files, the same client.

    python3 bench/serve_vs_peers.py RUN IMAGES --python PATH [--rounds 3] [--seconds 6] [--clients 1,4,16,64,256] [--p99 50]

RUN is a run of one of the seeds' recipes, IMAGES a folder of images of its size; PATH is an interpreter with fastapi, uvicorn[standard]
(without its uvloop and httptools it is several times slower), onnxruntime, flask, gunicorn, torch, safetensors and Pillow. The client is wrk (Debian: wrk), one image a request, over connections that
are kept. It takes its share of the same cores. In every
round each service runs alone, with each number of clients in turn; then its answers are compared with the others'. Prints the images a second and the p99 of each, and the
ratios of the best images a second at a p99 of at most --p99 milliseconds.
"""
import argparse
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
from pathlib import Path

from side_by_side import PEERS, SPOTTER, Failure, check_binary, check_idle, machine, packages, run, spotter_version, spread

PACKAGES = ["fastapi", "uvicorn", "uvloop", "httptools", "onnxruntime", "gunicorn", "torch", "safetensors"]
WRK = """
local files, bodies, at = {{ {files} }}, {{}}, 0
for i, name in ipairs(files) do
  local file = io.open(name, "rb")
  bodies[i] = file:read("*a")
  file:close()
end
wrk.method = "POST"
wrk.headers["Content-Type"] = "image/jpeg"
request = function()
  at = at % #bodies + 1
  return wrk.format(nil, nil, nil, bodies[at])
end
"""


class Service:
    def __init__(self, name, command, path, environment=None):
        self.name, self.command, self.path, self.environment = name, command, path, environment or {}

    def __enter__(self):
        self.process = subprocess.Popen([str(c) for c in self.command], env={**os.environ, **self.environment}, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL, start_new_session=True)
        return self

    def __exit__(self, *_):
        os.killpg(self.process.pid, signal.SIGTERM)
        try:
            self.process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)

    def ask(self, url, image):
        request = urllib.request.Request(url, image, {"Content-Type": "image/jpeg"})
        return json.loads(urllib.request.urlopen(request, timeout=30).read())

    def top(self, url, image):
        """Waits for the service to be there."""
        for _ in range(300):
            try:
                answer = self.ask(url, image)
                answer = answer["predictions"][0] if "predictions" in answer else answer
                return [(c["class"], c["probability"]) for c in answer["top"]]
            except OSError:
                if self.process.poll() is not None:
                    raise Failure(f"{self.name} ended with status {self.process.returncode}")
                time.sleep(0.1)
        raise Failure(f"{self.name} did not begin within 30 s")


def load(url, script, clients, seconds):
    output = run("wrk", ["wrk", "-t1", f"-c{clients}", f"-d{seconds}s", "--latency", "--timeout", "10s", "-s", script, url])
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", output).group(1))
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", output).groups()
    failed = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    errors = re.search(r"Socket errors: (.*)", output)
    if failed or errors:
        raise Failure(f"{url}: {failed.group(0) if failed else errors.group(0)}")
    return {"images_per_second": rate, "p99_ms": float(number) * {"us": 1e-3, "ms": 1, "s": 1e3}[unit]}


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("run", metavar="RUN")
    p.add_argument("images", metavar="IMAGES")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--seconds", type=int, default=6)
    p.add_argument("--clients", default="1,4,16,64,256")
    p.add_argument("--p99", type=float, default=50)
    p.add_argument("--port", type=int, default=8750)
    p.add_argument("--python", default=sys.executable)
    p.add_argument("--spotter", default=str(SPOTTER))
    p.add_argument("--busy-ok", action="store_true", help="run even though other programs take CPU time")
    args = p.parse_args()
    try:
        check_binary(args)
        versions = {"spotter": spotter_version(args), **packages(args.python, PACKAGES)["versions"]}
        check_idle(args)
        files = sorted(Path(args.images).rglob("*.jpg"))
        files = files[:: max(1, len(files) // 200)][:200]
        if not files:
            raise Failure(f"{args.images} holds no .jpg files")
        cores = len(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory() as folder:
            onnx = Path(folder) / "model.onnx"
            run("spotter export", [args.spotter, "export", args.run, "--onnx", onnx, "--check", "0"])
            script = Path(folder) / "post.lua"
            script.write_text(WRK.format(files=", ".join(json.dumps(str(f.resolve())) for f in files)))
            model = Path(args.run) / "model.safetensors"
            binaries = Path(args.python).parent
            services = [
                Service("spotter", [args.spotter, "serve", args.run, "--port", args.port], "/api/predict"),
                Service("FastAPI + onnxruntime", [binaries / "uvicorn", "--app-dir", PEERS, "serve_fastapi:app", "--workers", cores, "--port", args.port,
                                                  "--log-level", "warning", "--no-access-log"], "/predict", {"SPOTTER_ONNX": str(onnx)}),
                Service("Flask + PyTorch", [binaries / "gunicorn", "--chdir", PEERS, "--workers", cores, "--threads", "4", "--bind", f"127.0.0.1:{args.port}", "serve_flask:app"],
                        "/predict", {"SPOTTER_MODEL": str(model.resolve()), "OMP_NUM_THREADS": "1"})]
            clients = [int(c) for c in args.clients.split(",")]
            found = {s.name: {c: [] for c in clients} for s in services}
            for i in range(args.rounds):
                answers = []
                for service in services:
                    url = f"http://127.0.0.1:{args.port}{service.path}"
                    with service:
                        answers.append([service.top(url, f.read_bytes()) for f in files[:20]])
                        load(url, script, 8, 2)  # warm
                        for c in clients:
                            found[service.name][c].append(load(url, script, c, args.seconds))
                            print(f"round {i + 1}: {service.name}, {c} clients: {found[service.name][c][-1]}", file=sys.stderr, flush=True)
                for mine, *others in zip(*answers):
                    for other in others:
                        if mine[0][0] != other[0][0] and mine[0][1] - mine[1][1] > 0.02:
                            raise Failure(f"the services do not answer the same: {mine} and {other}")
    except Failure as e:
        sys.exit(f"error: {e}")
    print(f"{machine()['cpu']}, {machine()['cpus_usable']} CPUs, the client on the same; " + ", ".join(f"{k} {v}" for k, v in versions.items()))
    print(f"\n| service | " + " | ".join(f"{c} clients: images/s (p99 ms)" for c in clients) + f" | best with p99 <= {args.p99:.0f} ms | n |\n|" + "---|" * (len(clients) + 3))
    best = {}
    for name, rows in found.items():
        best[name] = [max([r["images_per_second"] for c in clients for r in [rows[c][i]] if r["p99_ms"] <= args.p99], default=0) for i in range(args.rounds)]
        cells = [f"{spread([r['images_per_second'] for r in rows[c]])['median']:.0f} ({spread([r['p99_ms'] for r in rows[c]])['median']:.1f})" for c in clients]
        print(f"| {name} | " + " | ".join(cells) + f" | {spread(best[name])['median']:.0f} | {args.rounds} |")
    ratios = {name: spread([a / b if b else float("inf") for a, b in zip(best["spotter"], best[name])]) for name in list(found)[1:]}
    for name, ratio in ratios.items():
        print(f"\nspotter : {name} = {ratio['median']:.1f} [{ratio['min']:.1f} to {ratio['max']:.1f}]")
    print("\n" + json.dumps({"machine": machine(), "versions": versions, "found": found, "ratios": ratios}))


if __name__ == "__main__":
    main()

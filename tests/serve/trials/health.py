# SPDX-License-Identifier: Apache-2.0
"""What the service says of itself is true: at the start, in overload, with a model that can't be loaded, when workers hang,
and while it ends. A worker hangs as one would in the field: its thread is stopped (ptrace) in the middle of an image."""
import asyncio
import concurrent.futures
import contextlib
import ctypes
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time

from service import Service
from traffic import one, open_loop, picture, request, until
from trials import Figure

SEIZE, INTERRUPT, DETACH, WALL = 0x4206, 0x4207, 17, 0x40000000
libc = ctypes.CDLL(None, use_errno=True)
libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]


def ptrace(what, thread):
    if libc.ptrace(what, thread, None, None) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


class Stopped:
    """A thread that does not go on until this ends."""

    def __init__(self, thread):
        self.thread = thread

    def __enter__(self):
        ptrace(SEIZE, self.thread)
        ptrace(INTERRUPT, self.thread)
        os.waitpid(self.thread, WALL)

    def __exit__(self, *_):
        try:
            ptrace(DETACH, self.thread)
        except ProcessLookupError:  # it has ended with its process
            os.waitpid(self.thread, WALL)


def computed(service):
    """The CPU seconds that each worker has computed so far, by thread."""
    tasks = [t for t in pathlib.Path(f"/proc/{service.process.pid}/task").iterdir() if (t / "comm").read_text().strip() == "worker"]
    return {int(t.name): sum(map(int, (t / "stat").read_text().rsplit(") ", 1)[1].split()[11:13])) / os.sysconf("SC_CLK_TCK") for t in tasks}


@contextlib.contextmanager
def stopped_at_work(service, count, ask):
    """Stops so many workers, each in the middle of an image; the answers to come, one of `ask` for each. An image takes
    several times the CPU time after which its worker is stopped, so that it surely is at work: a thread that merely runs
    may just be waking up."""
    with contextlib.ExitStack() as stack:
        pool = stack.enter_context(concurrent.futures.ThreadPoolExecutor(count))
        answers = []
        for _ in range(count):
            before = computed(service)
            answers.append(pool.submit(ask))
            at_work = until(lambda: [w for w, seconds in computed(service).items() if seconds >= before.get(w, 0) + 0.05], 10, "no worker computes")
            assert len(at_work) == 1, at_work
            stack.enter_context(Stopped(at_work[0]))
        yield answers


def ready(service):
    return service.ask("GET", "/v2/health/ready")[0] == 200


def live(service):
    return service.ask("GET", "/v2/health/live")[0] == 200


def run(subject):
    figures = [*start_and_overload(subject), *lost_model(subject), *lame_duck(subject)]
    if not may_stop_threads():
        return figures + [Figure("workers that hang: not tried, this system refuses ptrace", 0)]
    return [*figures, *hanging_workers(subject), *end_without_a_worker(subject)]


def may_stop_threads():
    with subprocess.Popen(["sleep", "60"]) as child:
        try:
            with Stopped(child.pid):
                return True
        except PermissionError:
            return False
        finally:
            child.kill()


def start_and_overload(subject):
    begin = time.monotonic()
    with Service(subject.spotter, subject.run, "--threads", 1, "--queue", 4) as service:
        figures = [Figure("ready after the start", time.monotonic() - begin, "s", most=5)]
        assert ready(service) and live(service)
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            load = pool.submit(lambda: asyncio.run(open_loop(service, request(service, picture(1500)), 200, 2)))
            asked = 0
            while not load.done():
                assert ready(service) and live(service), "in overload it still serves"
                asked += 1
            assert 503 in {a[0] for a in load.result()} and asked > 5, asked
        return figures


def lost_model(subject):
    with tempfile.TemporaryDirectory() as folder:
        model = pathlib.Path(folder, "m.safetensors")
        shutil.copy(pathlib.Path(subject.run, "model.safetensors"), model)
        with Service(subject.spotter, model) as service:
            model.unlink()
            service.process.send_signal(signal.SIGHUP)
            until(lambda: service.metric('spotter_model_reloads_total{outcome="failure"}') == 1, 10, "it was not told")
            assert ready(service) and service.predict(subject.images[0])["version"] == "1", "the old one stays"
        try:
            Service(subject.spotter, model)
        except AssertionError as error:
            assert "m.safetensors" in str(error), error
        else:
            raise AssertionError("it began without a model")
    return []


def hanging_workers(subject):
    large = picture(7000)
    with Service(subject.spotter, subject.run, "--threads", 2, "--deadline", 4) as service:
        def ask():
            begin = time.monotonic()
            return service.ask("POST", "/api/predict", large, {"Content-Type": "image/jpeg"})[0], time.monotonic() - begin
        with stopped_at_work(service, 2, ask) as answers:
            begin = time.monotonic()
            until(lambda: not ready(service), 4, "it says that it is ready")
            noticed = time.monotonic() - begin
            assert live(service) and service.metric("spotter_ready") == 0 and service.metric("spotter_hanging_workers") == 2
            for answer in answers:  # nobody computes, and yet there is an answer
                status, seconds = answer.result()
                assert status == 504 and seconds < 9, (status, seconds)
        until(lambda: ready(service) and service.metric("spotter_open_requests") == 0, 10, "it does not come back")
    # One hangs: the other one serves.
    with Service(subject.spotter, subject.run, "--threads", 2, "--deadline", 4) as service:
        with stopped_at_work(service, 1, ask) as answers:
            until(lambda: service.metric("spotter_hanging_workers") == 1, 4, "the worker that hangs is not told of")
            assert ready(service)
            assert answers[0].result()[0] == 504
            for _ in range(20):
                assert service.predict(subject.images[0])
        until(lambda: service.metric("spotter_open_requests") == 0, 10, "it does not come back")
        assert service.predict(subject.images[0])
    return [Figure("all workers hang, not ready after", noticed, "s", most=2.1), Figure("a request among them answered (504) after its deadline of 4 s", seconds, "s", most=5.5)]


def lame_duck(subject):
    with Service(subject.spotter, subject.run, "--lame-duck", 4) as service:
        service.process.send_signal(signal.SIGTERM)
        begin = time.monotonic()
        until(lambda: not ready(service), 1, "it is ready while it ends")
        figures = [Figure("told to end, not ready after", time.monotonic() - begin, "s", most=2)]
        assert live(service) and service.predict(subject.images[0])
        service.process.wait(10)
    return figures


def end_without_a_worker(subject):
    """It ends even when a worker never comes back; and tells."""
    with Service(subject.spotter, subject.run, "--threads", 1, "--drain", 1) as service:
        data = request(service, picture(7000))
        with stopped_at_work(service, 1, lambda: asyncio.run(one(service, data))):
            service.process.send_signal(signal.SIGTERM)
            begin = time.monotonic()
            until(lambda: "did not come back" in service.stderr(), 9, "it does not end")
            figure = Figure("ended without a worker that hangs, after", time.monotonic() - begin, "s", most=10)
        assert service.process.wait(5) == 1, service.process.returncode
        service.process.returncode = 0  # it was meant to
    return [figure]

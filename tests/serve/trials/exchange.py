# SPDX-License-Identifier: Apache-2.0
"""A model's file is exchanged under load, one time in five for a damaged one: no request is lost, and every answer is that
of the version which it names."""
import concurrent.futures
import pathlib
import shutil
import signal
import tempfile
import threading
import time

from service import Service, same_answer
from traffic import until
from trials import Figure


def run(subject, swaps, pause):
    variants = [pathlib.Path(folder, "model.safetensors") for folder in (subject.run, subject.other)]
    image = subject.images[0]

    def top(answer):
        return answer["predictions"][0]["top"]
    truth = []
    for variant in variants:
        with Service(subject.spotter, variant) as service:
            truth.append(top(service.predict(image)))
    assert not same_answer(*truth)
    with tempfile.TemporaryDirectory() as folder:
        model, following = pathlib.Path(folder, "m.safetensors"), pathlib.Path(folder, "next")
        shutil.copy(variants[0], model)
        with Service(subject.spotter, model) as service, concurrent.futures.ThreadPoolExecutor(4) as pool:
            stop = threading.Event()

            def client(_):
                found, connection = [], service.connect()
                while not stop.is_set():
                    answer = service.predict(image, connection=connection)
                    found.append((answer["version"], top(answer)))
                connection.close()
                return found
            running = [pool.submit(client, i) for i in range(4)]
            try:
                holds = {"1": 0}  # version -> variant
                for k in range(swaps):
                    to = model if k % 3 == 0 else following  # overwritten, or replaced
                    if k % 5 == 4:
                        to.write_bytes(b"damaged")
                    else:
                        shutil.copy(variants[k % 2], to)
                        holds[str(k + 2)] = k % 2
                    if to == following:
                        following.rename(model)
                    service.process.send_signal(signal.SIGHUP)
                    until(lambda: service.metric("spotter_model_reloads_total") > k, 10, "the model is not loaded anew")
                    time.sleep(pause)
            finally:
                stop.set()
            answers = [a for r in running for a in r.result()]
            versions = {version for version, _ in answers}
            assert len(versions) >= min(5, swaps // 2), versions
            for version, found in answers:
                assert same_answer(found, truth[holds[version]]), (version, found)
            assert service.metric('spotter_model_reloads_total{outcome="failure"}') == swaps // 5
            assert "the old one stays" in service.stderr()
    return [Figure("exchanges, one in five damaged", swaps), Figure("requests lost or answered by another version", 0, f"of {len(answers)}", most=0),
            Figure("versions that answered", len(versions))]

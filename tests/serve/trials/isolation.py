# SPDX-License-Identifier: Apache-2.0
"""Images of many clients are computed together, some of them unusable: every answer is that of its own image, to the last
bit of what a lone request gets (where libtorch computes, to 1e-5)."""
import base64
import concurrent.futures
import json
import random

from service import Service, same_answer
from trials import Figure

BROKEN = b"\x89PNG broken"


def run(subject, requests):
    images = subject.images[:50]
    with Service(subject.spotter, subject.run) as service:
        alone = [service.predict(image)["predictions"][0]["top"] for image in images]
        texts = [base64.b64encode(image).decode() for image in images + [BROKEN]]
        connections = [service.connect() for _ in range(16)]

        def lone(number):
            """One image a request: what is computed together is of several clients."""
            for i in range(requests // len(connections)):
                k = (number + i) % (len(images) + 1)
                if k == len(images):
                    error = service.predict(BROKEN, status=400, connection=connections[number])["error"]
                    assert error.startswith("the image can't be used: "), error
                else:
                    assert same_answer(service.predict(images[k], connection=connections[number])["predictions"][0]["top"], alone[k]), k

        def client(number):
            rng, done = random.Random(number), 0
            while done < requests / len(connections):
                picks = [rng.randrange(len(images) + 1) for _ in range(rng.randrange(1, 9))]
                body = json.dumps({"images": [texts[k] for k in picks]})
                status, _, text = service.ask("POST", "/api/predict", body, {"Content-Type": "application/json"}, connections[number])
                none_usable = set(picks) == {len(images)}
                assert status == (400 if none_usable else 200), (status, text)
                for k, answer in zip(picks, [] if none_usable else json.loads(text)["predictions"], strict=not none_usable):
                    assert ("error" in answer) if k == len(images) else same_answer(answer["top"], alone[k]), (k, answer)
                done += 1
            return done
        with concurrent.futures.ThreadPoolExecutor(len(connections)) as pool:
            list(pool.map(lone, range(len(connections))))
            batches, computed = service.metric("spotter_batch_images_count"), service.metric("spotter_batch_images_sum")
            assert computed > batches, "images of several clients were never computed together"
            done = sum(pool.map(client, range(len(connections))))
        for connection in connections:
            connection.close()
    return [Figure("lone and mixed requests, all answers right", 2 * done), Figure("images a batch, one a request", computed / batches)]

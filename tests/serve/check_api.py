# SPDX-License-Identifier: Apache-2.0
"""The API of `spotter serve` beside `spotter predict`: every form of a request gives the answers of the program itself.

    check_api.py SPOTTER RUN OTHER_RUN PICTURES
"""
import base64
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from prometheus_client.parser import text_string_to_metric_families

from service import Service, pictures

spotter, run, other, folder = sys.argv[1:]
files = pictures(folder)
images = [p.read_bytes() for p in files]
JSON = {"Content-Type": "application/json"}


def program(model):
    """What `spotter predict` says: {file: [(class, probability)]}."""
    output = subprocess.run([spotter, "predict", model, folder, "--json", "--top", "3", "--threads", "1"], capture_output=True, check=True, text=True).stdout
    return {p["file"]: [(c["class"], c["probability"]) for c in p["predictions"]] for p in json.loads(output)}


def same(found, expected):
    assert [c["class"] for c in found] == [c for c, _ in expected], (found, expected)
    assert all(abs(f["probability"] - p) <= 1e-5 for f, (_, p) in zip(found, expected)), (found, expected)


def form(parts, boundary=b"x1y2"):
    body = b"".join(b"--" + boundary + b"\r\nContent-Disposition: form-data; name=\"" + name.encode() + b"\"" +
                    (b"; filename=\"" + file.encode() + b"\"" if file else b"") + b"\r\n\r\n" + content + b"\r\n" for name, file, content in parts)
    return body + b"--" + boundary + b"--\r\n", {"Content-Type": "multipart/form-data; boundary=" + boundary.decode()}


expected = program(run)
with Service(spotter, run, "second=" + str(pathlib.Path(other, "model.safetensors"))) as service:
    # One image: as it is, as a form, as JSON.
    for path, image in list(zip(files, images))[:6]:
        wanted = expected[str(path)]
        same(service.predict(image, "?top=3")["predictions"][0]["top"], wanted)
        body, headers = form([("image", path.name, image), ("top", "", b"3")])
        answer = service.json("POST", "/api/predict", body, headers)["predictions"][0]
        assert answer["name"] == path.name
        same(answer["top"], wanted)
        text = base64.b64encode(image).decode()
        same(service.json("POST", "/api/predict", json.dumps({"image": text, "top": 3}), JSON)["predictions"][0]["top"], wanted)

    # All at once, in order, one of them no image: it has an error of its own.
    body, headers = form([("f", p.name, i) for p, i in zip(files, images)] + [("f", "notes.txt", b"hello")])
    answers = service.json("POST", "/api/predict?top=3", body, headers)["predictions"]
    assert [a["name"] for a in answers] == [p.name for p in files] + ["notes.txt"]
    for path, answer in zip(files, answers):
        same(answer["top"], expected[str(path)])
    assert answers[-1] == {"name": "notes.txt", "error": "not a JPEG, PNG or WebP image"}

    # The other model, and the heat map.
    same(service.predict(images[0], "?top=3&model=second")["predictions"][0]["top"], program(other)[str(files[0])])
    heat = service.predict(images[0], "?heat_map=hirescam")["predictions"][0]["heat_map"]
    assert base64.b64decode(heat.removeprefix("data:image/png;base64,")).startswith(b"\x89PNG"), heat[:80]
    models = service.json("GET", "/api/models")["models"]
    assert [m["name"] for m in models] == [pathlib.Path(run).name, "second"]
    for model, of in zip(models, (run, other)):  # a model file knows it without its run
        metrics = json.loads((pathlib.Path(of) / "metrics.json").read_text())
        assert model["test"]["accuracy"] == metrics["test"]["accuracy"], model["test"]

    # What is wrong is said in one line, with the status that means it.
    cases = [("POST", "/api/predict?model=third", b"x", {"Content-Type": "image/png"}, 404, "'third'"),
             ("POST", "/api/predict", b"x", {"Content-Type": "text/plain"}, 415, "text/plain"),
             ("POST", "/api/predict", b"", {"Content-Type": "image/png"}, 400, "empty"),
             ("POST", "/api/predict", b"{", JSON, 400, "not JSON"),
             ("POST", "/api/predict", b"x", {"Content-Type": "image/png", "Content-Encoding": "gzip"}, 415, "compressed"),
             ("POST", "/api/predict", b"x" * (33 << 20), {"Content-Type": "image/png"}, 413, "too long"),
             ("GET", "/api/predict", None, {}, 405, "POST"), ("POST", "/", b"", {}, 405, "GET"), ("GET", "/nothing", None, {}, 404, "openapi"),
             ("POST", "/api/predict", b"x", {"Content-Type": "image/png", "Host": "evil.example"}, 421, "127.0.0.1"),
             ("POST", "/api/predict", b"x", {"Content-Type": "image/png", "Origin": "http://evil.example"}, 403, "pages")]
    for method, path, content, headers, status, word in cases:
        found, _, text = service.ask(method, path, content, headers)
        error = json.loads(text)["error"]
        assert (found, word in error, "\n" in error) == (status, True, False), (method, path, headers, found, text)
    assert service.ask("GET", "/metrics", headers={})[1]["content-type"].startswith("text/plain; version=0.0.4")
    # Prometheus takes the metrics: its own checker where it is installed, and its client's parser everywhere.
    text = service.ask("GET", "/metrics")[2].decode()
    families = {family.name: family for family in text_string_to_metric_families(text)}
    assert families["spotter_requests"].type == "counter" and families["spotter_batch_images"].type == "histogram", list(families)
    assert all(family.documentation and family.samples for family in families.values() if family.name != "spotter_rejected"), families
    if shutil.which("promtool"):
        checked = subprocess.run(["promtool", "check", "metrics"], input=text, capture_output=True, text=True)
        assert checked.returncode == 0, checked.stderr
    assert "access-control-allow-origin" not in service.ask("GET", "/v2")[1]

# A token: nothing that is worth one without it.
with tempfile.TemporaryDirectory() as folder_of_token:
    secret = pathlib.Path(folder_of_token, "token")
    secret.write_text("0123456789abcdef\n")
    with Service(spotter, run, "--token-file", secret, "--host", "0.0.0.0") as service:
        assert "0123456789abcdef" not in service.line, "secrets don't go into logs"
        for path in ("/", "/serve.js", "/api/openapi.json", "/v2", "/v2/health/ready"):
            assert service.ask("GET", path)[0] == 200, path
        for path in ("/api/models", "/metrics", "/v2/models/" + pathlib.Path(run).name):
            for headers in ({}, {"Authorization": "Bearer 0123456789abcdeX"}, {"Authorization": "0123456789abcdef"}):
                assert service.ask("GET", path, headers=headers)[0] == 401, (path, headers)
            assert service.ask("GET", path, headers={"Authorization": "Bearer 0123456789abcdef"})[0] == 200, path
        assert service.ask("POST", "/api/predict", images[0], {"Content-Type": "image/png"})[0] == 401

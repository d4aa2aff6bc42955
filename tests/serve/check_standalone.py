# SPDX-License-Identifier: Apache-2.0
"""The page of `spotter export --page`, opened from a file with the network off: the answers of `spotter predict`, by
drop, file and camera.

    check_standalone.py SPOTTER PAGE RUN PICTURES [FOLDER FOR SCREENSHOTS] [--speed]
"""
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile

from PIL import Image
from playwright.sync_api import sync_playwright

from service import pictures

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "browser"))
from browser import Watch, fits, give  # noqa: E402

speed = "--speed" in sys.argv
spotter, html, run, folder, *shots = [a for a in sys.argv[1:] if a != "--speed"]
files = pictures(folder)


def predict(some):
    output = subprocess.run([spotter, "predict", run, *map(str, some), "--json", "--top", "5", "--precision", "fp32"],
                            capture_output=True, check=True, text=True).stdout
    return [p["predictions"] for p in json.loads(output)]


def bars(page):
    """(class, probability) of each bar of the answer."""
    found = page.evaluate(
        "() => [...document.querySelectorAll('#result .bars li')].map(li => [li.querySelector('span').textContent, li.querySelector('i').style.width])")
    return [(name, float(width.rstrip("%")) / 100) for name, width in found]


expected = predict(files)

with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[
        "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
    context = browser.new_context(viewport={"width": 1280, "height": 900}, offline=True)
    page = context.new_page()
    address = pathlib.Path(html).resolve().as_uri()
    watch = Watch(page, (address, "blob:"))
    page.goto(address)
    page.wait_for_function("() => document.getElementById('title').textContent !== 'Spotter'")
    fits(page)
    worst = 0.0
    for count, (file, wanted) in enumerate(zip(files, expected), 1):
        if count % 2:
            page.set_input_files("#file", file)
        else:
            give(page, "drop" if count % 4 else "paste", file.name, file.read_bytes(), "")
        page.wait_for_function("n => document.querySelectorAll('#history li').length === Math.min(n, 60)", arg=count)
        page.wait_for_function("() => !busy")
        found = bars(page)
        for (name, probability), answer in zip(found, wanted):
            worst = max(worst, abs(probability - answer["probability"]))
        assert found[0][0] == wanted[0]["class"] or wanted[0]["probability"] - wanted[1]["probability"] < 0.01, (file, found, wanted)
    assert worst < 0.01, worst
    # Larger than what browsers of phones give of a canvas at once: all of it counts, the lower end too.
    large = Image.new("RGB", (3000, 2400), (20, 200, 40))
    large.paste(Image.open(files[0]).convert("RGB").resize((3000, 900)), (0, 1500))
    with tempfile.TemporaryDirectory() as temporary:
        picture = pathlib.Path(temporary, "large.png")
        large.save(picture, compress_level=1)
        wanted = predict([picture])[0]
        page.set_input_files("#file", picture)
        page.wait_for_function("() => document.querySelector('#history .quiet[title=\"large.png\"]') && !busy")
    found = dict(bars(page))
    for answer in wanted:
        assert abs(found[answer["class"]] - answer["probability"]) < 0.01, (found, wanted)
    page.set_input_files("#file", {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"hello"})
    page.wait_for_selector("#error:visible")
    assert page.locator("#error").inner_text() == "notes.txt: the browser can't read this as an image"
    page.locator("#camera").click()
    page.wait_for_function("() => document.querySelector('#result .quiet').textContent.startsWith('live')")
    page.wait_for_timeout(1500)
    live = page.locator("#result .quiet").inner_text()
    page.locator("#snap").click()
    page.wait_for_selector("#photo:visible")
    page.wait_for_function("() => !busy")
    if shots:
        page.screenshot(path=pathlib.Path(shots[0]) / "standalone.png", full_page=True)
    page.set_viewport_size({"width": 360, "height": 740})
    fits(page)
    page.emulate_media(color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 29)"
    watch.check()
    # A browser that falsifies what pages read: said at once, and at each image.
    guarded = context.new_page()
    guarded.add_init_script("""{
      const real = CanvasRenderingContext2D.prototype.getImageData;
      CanvasRenderingContext2D.prototype.getImageData = function (...where) { const i = real.apply(this, where); i.data.fill(255); return i; };
    }""")
    guarded.goto(address)
    guarded.wait_for_selector("#error:visible")
    guarded.set_input_files("#file", files[0])
    assert "fingerprinting" in guarded.locator("#error").inner_text()
    assert guarded.locator("#visit").is_hidden()
    guarded.close()
    if speed:
        milliseconds = page.evaluate("""() => {
          const x = new Float32Array(network.inputSize).map((_, i) => (i % 7) / 7), times = [];
          for (let i = 0; i < 30; ++i) { const begin = performance.now(); network.logits(x); times.push(performance.now() - begin); }
          return times.sort((a, b) => a - b)[15];
        }""")
        print(f"{milliseconds:.1f} ms a forward pass; {live}; {pathlib.Path(html).stat().st_size / 1e6:.1f} MB")
    print(f"{len(files)} images; probabilities differ by at most {worst:.1e}")
    browser.close()

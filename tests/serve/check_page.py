# SPDX-License-Identifier: Apache-2.0
"""The page of `spotter serve` in Chromium: drop, paste, choose, camera, a text file, the model's name, history, phone and dark.

    check_page.py SPOTTER RUN OTHER_RUN PICTURES [FOLDER FOR SCREENSHOTS]
"""
import io
import pathlib
import shutil
import sys

from PIL import Image
from playwright.sync_api import sync_playwright

from service import Service, pictures

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent / "browser"))
from browser import Watch, fits, give  # noqa: E402

spotter, run, other, folder, *shots = sys.argv[1:]
files = pictures(folder)


def shot(page, name):
    if shots:
        page.screenshot(path=pathlib.Path(shots[0]) / (name + ".png"), full_page=True)


def converted(file, kind):
    to = io.BytesIO()
    Image.open(file).convert("RGB").save(to, kind)
    return to.getvalue()


def wait_for_history(page, count):
    page.wait_for_function("n => document.querySelectorAll('#history li').length === n", arg=count)


with Service(spotter, run, "second=" + other) as service, sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=[
        "--no-sandbox", "--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"])
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watch = Watch(page, (service.url, "blob:"))
    choosers = []
    page.on("filechooser", lambda chooser: choosers.append(chooser))  # from now on: the browser takes a moment to be told
    page.goto(service.url)
    page.wait_for_function("() => document.getElementById('title').textContent !== 'Spotter'")
    model = service.json("GET", "/api/models")["models"][0]
    assert page.locator("#title").inner_text() == model["name"]
    assert f"accuracy {100 * model['test']['accuracy']:.2f} %" in page.locator("#about").inner_text()
    fits(page)
    shot(page, "empty")

    # Every door gives the answer of the API.
    expected = [service.predict(f.read_bytes())["predictions"][0]["top"][0]["class"] for f in files[:4]]

    def check(count, name):
        wait_for_history(page, count)
        assert page.locator("#result .answer").inner_text().startswith(expected[count - 1]), name
        assert page.locator("#result .bars li").count() == min(5, len(model["classes"]))
        assert page.locator("#error").is_hidden()
        assert page.locator("#photo").is_visible()

    page.set_input_files("#file", files[0])
    check(1, "choose")
    give(page, "drop", files[1].name, files[1].read_bytes(), "image/png")
    check(2, "drop")
    page.locator("#heat").check()  # of the image that is there, too
    page.wait_for_selector("#result figure img")
    give(page, "paste", "pasted.png", files[2].read_bytes(), "image/png")
    check(3, "paste")
    picture = page.locator("#result figure img")
    assert page.evaluate("i => i.complete && i.naturalWidth > 0", picture.element_handle()), "the heat map is a picture"
    page.locator("#drop").focus()
    page.keyboard.press("Enter")
    while not choosers:
        page.wait_for_timeout(20)
    choosers[0].set_files(files[3])
    check(4, "keyboard")
    shot(page, "result")

    # A text file: said, and nothing is lost.
    give(page, "drop", "notes.txt", b"hello", "text/plain")
    page.wait_for_selector("#error:visible")
    assert page.locator("#error").inner_text() == "notes.txt: the image can't be used: not a JPEG, PNG or WebP image"
    wait_for_history(page, 4)
    shot(page, "error")
    watch.problems = [p for p in watch.problems if "400 (Bad Request)" not in p]  # the browser notes the refusal

    # Several at once, one of them no image: the others are classified, and the error stays.
    page.set_input_files("#file", [{"name": name, "mimeType": "", "buffer": content} for name, content in
                                   (("1.png", files[0].read_bytes()), ("a.txt", b"hello"), ("2.png", files[1].read_bytes()))])
    wait_for_history(page, 6)
    page.wait_for_function("() => !busy")
    assert page.locator("#error").inner_text().startswith("a.txt: "), page.locator("#error").inner_text()
    watch.problems = [p for p in watch.problems if "400 (Bad Request)" not in p]

    # History: back to the first.
    page.locator("#history button").last.click()
    assert page.locator("#result .answer").inner_text().startswith(expected[0])
    assert page.locator("#error").is_hidden()

    # Its heat map while another image is chosen: each keeps its own answer.
    page.evaluate("""() => {
      document.getElementById("heat").checked = true;
      document.getElementById("heat").dispatchEvent(new Event("change"));
      document.querySelector("#history button").click();
    }""")
    page.wait_for_function("() => !busy")
    assert page.locator("#result .answer").inner_text().startswith(expected[1])
    assert page.locator("#result figure img").count() == 1
    page.locator("#heat").uncheck()
    page.wait_for_function("() => !busy")
    page.locator("#history button").last.click()
    page.wait_for_function("() => !busy")
    assert page.locator("#result .answer").inner_text().startswith(expected[0])
    assert page.locator("#result figure img").count() == 0, "no heat map is wanted any more"

    # The camera: live, several frames a second; then a photo.
    before = service.metric('spotter_images_total{model="' + model["name"])
    page.locator("#camera").click()
    page.wait_for_function("() => document.querySelector('#result .quiet').textContent.startsWith('live')")
    page.wait_for_timeout(2000)
    shot(page, "camera")
    frames = service.metric('spotter_images_total{model="' + model["name"]) - before
    assert frames >= 6, f"{frames} frames in two seconds"
    page.locator("#snap").click()
    wait_for_history(page, 7)
    assert page.locator("#video").is_hidden() and page.locator("#photo").is_visible()
    page.locator("#camera").click()
    page.wait_for_selector("#video:visible")
    page.keyboard.press("Escape")
    page.wait_for_selector("#video", state="hidden")
    assert page.locator("#error").is_hidden()
    assert page.locator("#photo").is_visible() and not page.locator("#result .quiet").inner_text().startswith("live")
    # A file that is no image, while it runs: said, and it stays so.
    page.locator("#camera").click()
    page.wait_for_function("() => document.querySelector('#result .quiet').textContent.startsWith('live')")
    page.set_input_files("#file", [{"name": "b.txt", "mimeType": "", "buffer": b"hello"}])
    page.wait_for_selector("#error:visible")
    page.wait_for_timeout(300)
    assert page.locator("#error").inner_text().startswith("b.txt: "), page.locator("#error").inner_text()
    watch.problems = [p for p in watch.problems if "400 (Bad Request)" not in p]
    # It is not on where nobody looks, and says so when it has gone.
    page.locator("#camera").click()
    page.wait_for_selector("#snap:visible")
    page.evaluate("""Object.defineProperty(document, "hidden", { value: true, configurable: true });
                     document.dispatchEvent(new Event("visibilitychange")); delete document.hidden;""")
    page.wait_for_selector("#video", state="hidden")
    assert page.evaluate("camera.stream === null")
    page.locator("#camera").click()
    page.wait_for_selector("#snap:visible")
    page.evaluate("camera.stream.getTracks()[0].stop()")
    page.wait_for_selector("#error:visible")
    assert page.locator("#error").inner_text() == "the camera has gone" and page.locator("#video").is_hidden()
    # Stopped at once, while it begins.
    page.locator("#camera").click()
    page.keyboard.press("Escape")
    page.wait_for_timeout(500)
    assert page.locator("#video").is_hidden() and page.evaluate("camera.stream === null")

    # Another model.
    page.locator("#model").select_option("second")
    page.wait_for_function("() => !busy")
    assert page.locator("#title").inner_text() == "second"
    page.set_input_files("#file", files[0])
    wait_for_history(page, 8)
    top = service.predict(files[0].read_bytes(), "?model=second")["predictions"][0]["top"][0]["class"]
    assert page.locator("#result .answer").inner_text().startswith(top)
    assert page.locator("#result .quiet").inner_text().startswith("second, ")
    # Chosen while another image is under way: the image on the page gets the answer of the model that is shown.
    page.evaluate("""() => {
      classifyFiles([shown.blob]);
      document.getElementById("model").selectedIndex = 0;
      document.getElementById("model").dispatchEvent(new Event("change"));
    }""")
    wait_for_history(page, 9)
    page.wait_for_function("() => !busy")
    assert page.locator("#result .quiet").inner_text().startswith(model["name"] + ", ")

    # What the browser reads and the service does not.
    give(page, "drop", "photo.bmp", converted(files[0], "BMP"), "image/bmp")
    wait_for_history(page, 10)
    page.wait_for_function("() => !busy")
    assert page.locator("#error").is_hidden()
    assert page.locator("#result .answer").inner_text().startswith(expected[0])

    # The buttons stay where they are, whatever the picture's form.
    place = page.locator("#choose").bounding_box()
    wide = io.BytesIO()
    Image.open(files[0]).convert("RGB").resize((900, 90)).save(wide, "PNG")
    page.set_input_files("#file", [{"name": "wide.png", "mimeType": "image/png", "buffer": wide.getvalue()}])
    wait_for_history(page, 11)
    assert page.locator("#choose").bounding_box() == place

    # Phone, and dark.
    page.set_viewport_size({"width": 360, "height": 740})
    fits(page)
    shot(page, "phone")
    page.emulate_media(color_scheme="dark")
    shot(page, "dark")
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    page.reload()
    page.wait_for_function("() => document.getElementById('title').textContent !== 'Spotter'")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)", "as it was left"
    watch.check()

    # The service ends: said.
    service.process.terminate()
    service.process.wait(20)
    page.set_input_files("#file", files[1])
    page.wait_for_selector("#error:visible")
    assert "does not answer" in page.locator("#error").inner_text()
    browser.close()

# SPDX-License-Identifier: Apache-2.0
"""Trains with --live and looks at the page meanwhile: it moves, and ends as the report.

    check_live.py SPOTTER DATA RUN [OPTION...]
"""
import re
import subprocess
import sys

from browser import Watch, chromium, fits

spotter, data, run, *options = sys.argv[1:]
with chromium() as browser:  # before the training, which would be over when a slow machine has started it
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    process = subprocess.Popen([spotter, "train", data, "--output", run, "--live", *options],
                               stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    url = None
    for line in process.stderr:
        found = re.search(r"http://127\.0\.0\.1:\d+/?", line)
        if found:
            url = found.group()
            break
    assert url, "no address was printed"
    watch = Watch(page, (url,))
    page.goto(url)
    page.wait_for_function("() => document.getElementById('progress').textContent.includes('step')", timeout=60000)
    first = page.locator("#progress").inner_text()
    page.wait_for_function("before => document.getElementById('progress').textContent !== before", arg=first, timeout=60000)
    page.wait_for_selector("#curves path.line", state="attached", timeout=120000)
    assert page.locator("#confusion").count() == 0, "there are no results yet"
    page.wait_for_selector("#confusion", timeout=300000)
    assert page.locator("#subtitle").inner_text().endswith("finished")
    page.locator("#matrix td button").first.click()
    fits(page)
    watch.check()
for _ in process.stderr:
    pass
assert process.wait(60) == 0

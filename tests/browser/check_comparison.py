# SPDX-License-Identifier: Apache-2.0
"""Opens the comparison of two runs and holds it against their files and McNemar's test by SciPy.

    check_comparison.py PAGE RUN RUN [FOLDER FOR SCREENSHOTS]
"""
import csv
import pathlib
import re
import sys

from scipy.stats import binomtest

from browser import Watch, chromium, fits

page_file = pathlib.Path(sys.argv[1]).resolve()
runs = [pathlib.Path(name) for name in sys.argv[2:4]]
right = [[p["correct"] == "1" for p in csv.DictReader((run / "predictions.csv").open(newline=""))] for run in runs]
only_first = sum(a and not b for a, b in zip(*right))
only_second = sum(b and not a for a, b in zip(*right))
p_value = binomtest(only_first, only_first + only_second).pvalue if only_first + only_second else 1

with chromium() as browser:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    watch = Watch(page, (page_file.as_uri(),))
    page.goto(page_file.as_uri())
    for run, answers in zip(runs, right):
        row = page.locator("#results tbody tr", has_text=run.name).inner_text()
        assert f"{100 * sum(answers) / len(answers):.2f} %" in row, row
    sentence = page.locator("#difference li").inner_text()
    shown = re.search(r"p (=|<) ([0-9.e-]+)", sentence)
    assert shown, sentence
    if shown.group(1) == "=":
        assert abs(float(shown.group(2)) - p_value) <= 0.05 * p_value, (sentence, p_value)
    else:
        assert p_value < float(shown.group(2)), (sentence, p_value)
    assert ("more than noise (" in sentence) == (p_value < 0.05), sentence
    assert page.locator("#curves path.line").count() == 8, "two runs in each of four charts"
    assert "learning-rate" in page.locator("#settings").inner_text()
    fits(page)
    if len(sys.argv) > 4:
        page.screenshot(path=pathlib.Path(sys.argv[4]) / "comparison.png", full_page=True)
    watch.check()

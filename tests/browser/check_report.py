# SPDX-License-Identifier: Apache-2.0
"""Opens a finished run's report.html as a user would, and compares it with the run's other files.

    check_report.py RUN [FOLDER FOR SCREENSHOTS]
"""
import csv
import json
import pathlib
import sys
import time

import numpy as np
from sklearn.metrics import confusion_matrix, precision_recall_fscore_support

from browser import Watch, chromium, fits

run = pathlib.Path(sys.argv[1]).resolve()
shots = pathlib.Path(sys.argv[2]) if len(sys.argv) > 2 else None
metrics = json.loads((run / "metrics.json").read_text())
results = metrics[metrics["evaluated_on"]]
classes = results["classes"]
predictions = list(csv.DictReader((run / "predictions.csv").open(newline="")))


def shot(page, name, **more):
    if shots:
        shots.mkdir(parents=True, exist_ok=True)
        page.screenshot(path=shots / f"{name}.png", **more)


def check_numbers():
    """metrics.json is what scikit-learn makes of predictions.csv."""
    truth = [classes.index(p["label"]) for p in predictions]
    answer = [classes.index(p["prediction"]) for p in predictions]
    labels = range(len(classes))
    precision, recall, f1, support = precision_recall_fscore_support(truth, answer, labels=labels, zero_division=0)
    for i, entry in enumerate(results["per_class"]):
        np.testing.assert_allclose([entry["precision"], entry["recall"], entry["f1"], entry["support"]],
                                   [precision[i], recall[i], f1[i], support[i]], atol=1e-6)
    np.testing.assert_array_equal(results["confusion_matrix"], confusion_matrix(truth, answer, labels=labels))
    probability = np.array([float(p["probability"]) for p in predictions])
    right = np.array(truth) == np.array(answer)
    bins = np.ceil(probability * 15).clip(1, 15)
    ece = sum((bins == b).mean() * abs(right[bins == b].mean() - probability[bins == b].mean())
              for b in range(1, 16) if (bins == b).any())
    assert abs(ece - results["calibration"]["ece"]) < 1e-6, (ece, results["calibration"]["ece"])


def check_summary(page):
    shown = page.locator(".figure", has_text="accuracy").first.locator("strong").inner_text()
    assert shown == f"{100 * results['accuracy']:.2f} %", shown


def check_table(page):
    page.locator("#class-table thead button", has_text="F1").click()
    rows = page.locator("#class-table tbody tr")
    table = [[c.strip() for c in rows.nth(i).locator("th, td").all_inner_texts()] for i in range(rows.count())]
    column = [float(row[3]) for row in table]
    assert column == sorted(column, reverse=True), column
    for row in table:
        entry = results["per_class"][[" ".join(c.split()) for c in classes].index(" ".join(row[0].split()))]
        assert row[1:5] == [f"{entry[k]:.3f}" for k in ("precision", "recall", "f1")] + [f"{entry['support']:,}"], row
    page.locator("#class-table thead button", has_text="F1").click()
    assert float(rows.nth(0).locator("td").nth(2).inner_text()) == min(column)


def check_confusion(page):
    matrix = np.array(results["confusion_matrix"])
    if len(classes) > 40:
        assert page.locator("#matrix canvas").is_visible()
        return
    texts = page.locator("#matrix td button").all_inner_texts()
    assert [int(t) for t in texts] == matrix.flatten().tolist()
    page.locator("#normalise").click()
    texts = page.locator("#matrix td button").all_inner_texts()
    sums = matrix.sum(axis=1, keepdims=True)
    shares = np.where(sums > 0, matrix / np.maximum(sums, 1), 0)
    for text, share, images in zip(texts, shares.flatten(), np.repeat(sums[:, 0], len(classes))):
        assert abs(float(text.removesuffix(" %")) - 100 * share) < 0.5001 if images else text == "", (text, share)
    page.locator("#normalise").click()
    wrong = matrix - np.diag(np.diag(matrix))
    truth, answer = np.unravel_index(wrong.argmax(), wrong.shape)
    if wrong.max() == 0:
        return
    cell = page.locator(f'#matrix [data-cell="{truth},{answer}"]')
    cell.click()
    files = set(page.locator("#cell-images .file").all_inner_texts())
    expected = {p["file"] for p in predictions if p["label"] == classes[truth] and p["prediction"] == classes[answer]}
    assert files and files <= expected, (files, expected)
    assert len(files) == min(len(expected), len(files)) and page.locator("#cell-images .tile").count() == len(files)
    cell.focus()
    page.keyboard.press("ArrowLeft" if answer > 0 else "ArrowRight")
    assert page.evaluate("document.activeElement.dataset.cell") == f"{truth},{answer - 1 if answer > 0 else 1}"


def check_charts(page):
    history = metrics["history"]
    chart = page.locator("#curves svg").first
    chart.scroll_into_view_if_needed()
    chart.hover()
    assert page.locator("#curves .tip").first.is_visible()
    chart.focus()
    page.keyboard.press("Home")
    tip = page.locator("#curves .tip").first.inner_text()
    assert "1" in tip.split("\n")[0] and f"{history[0]['train_loss']:.4g}" in tip, tip
    if history[0]["validation_loss"] is not None:
        assert f"{history[0]['validation_loss']:.4g}" in tip, tip


def check_examples(page):
    files = page.locator("#mistakes .file").all_inner_texts()
    wrong = sorted((p for p in predictions if p["correct"] == "0"), key=lambda p: -float(p["probability"]))
    assert files == [p["file"] for p in wrong[:24]], files[:3]
    if page.locator("#heat").count():
        before = page.locator("#mistakes .tile").first.evaluate("e => getComputedStyle(e).backgroundImage.length")
        page.locator("#heat").click()
        assert "heat-sheet" in page.locator("#mistakes .tile").first.get_attribute("class")
        assert before > 100
        shot(page, "heat")
        page.locator("#heat").click()


with chromium() as browser:
    check_numbers()
    page = browser.new_page(viewport={"width": 1280, "height": 900}, color_scheme="light")
    watch = Watch(page, (run.as_uri(),))
    begin = time.perf_counter()
    page.goto((run / "report.html").as_uri())
    seconds = time.perf_counter() - begin
    size = (run / "report.html").stat().st_size
    print(f"report.html: {size / 1e6:.2f} MB, open in {seconds:.2f} s")
    assert size < 3e6, size
    assert seconds < 2, seconds
    check_summary(page)
    check_charts(page)
    if not any("<" in name for name in classes):
        check_table(page)
    check_confusion(page)
    check_examples(page)
    fits(page)
    shot(page, "wide-light", full_page=True)
    page.locator("#theme").click()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    shot(page, "wide-dark", full_page=True)
    for scheme in ("light", "dark"):
        phone = browser.new_page(viewport={"width": 390, "height": 844}, color_scheme=scheme)
        other = Watch(phone, (run.as_uri(),))
        phone.goto((run / "report.html").as_uri())
        fits(phone)
        shot(phone, f"phone-{scheme}", full_page=True)
        other.check()
    page.emulate_media(media="print")
    if shots:
        page.pdf(path=shots / "print.pdf")
    watch.check()

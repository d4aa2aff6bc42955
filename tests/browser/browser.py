# SPDX-License-Identifier: Apache-2.0
"""A Chromium without a window, and a page in it that reports what must not happen: errors, dialogs, requests."""
import base64
import contextlib
import shutil

from playwright.sync_api import sync_playwright


class Watch:
    """What a page did that it must not do; `allowed` begins the addresses that it may ask for."""

    def __init__(self, page, allowed):
        self.problems = []
        page.on("console", lambda m: self.problems.append("console: " + m.text) if m.type in ("error", "warning") else None)
        page.on("pageerror", lambda e: self.problems.append("error: " + str(e)))
        page.on("dialog", lambda d: (self.problems.append("dialog: " + d.message), d.dismiss()))
        page.on("request", lambda r: None if r.url.startswith(("data:",) + allowed)
                else self.problems.append("request: " + r.url[:200]))

    def check(self):
        assert not self.problems, self.problems


def give(page, event, name, content, kind):
    """Drops or pastes a file, as the browser tells a page of it."""
    page.evaluate("""([event, name, content, kind]) => {
      const bytes = Uint8Array.from(atob(content), c => c.charCodeAt(0));
      const transfer = new DataTransfer();
      transfer.items.add(new File([bytes], name, { type: kind }));
      const init = { bubbles: true, cancelable: true };
      const sent = event === "paste" ? new ClipboardEvent("paste", { ...init, clipboardData: transfer })
                                     : new DragEvent(event, { ...init, dataTransfer: transfer });
      document.getElementById("stage").dispatchEvent(sent);
    }""", [event, name, base64.b64encode(content).decode(), kind])


@contextlib.contextmanager
def chromium():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        yield browser
        browser.close()


def fits(page):
    """Nothing makes the page wider than the window."""
    wide = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wide <= 0, f"the page is {wide} pixels wider than the window"

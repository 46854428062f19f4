"""Headless Chromium, for tests of pages."""

import base64
import contextlib
import fcntl
import json
import os
import select
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome", "chrome"))), None)
SCREENSHOTS = os.environ.get("NEWSCLF_SCREENSHOTS")  # a folder that keeps pictures of the pages for a person to look at

FLAGS = [
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost",
    "--remote-debugging-pipe",
]
# Chromium reads what it is told from its file descriptor 3, and answers on 4.
START = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); os.execv(sys.argv[3], sys.argv[3:])"
)


class Browser:
    """Headless Chromium, told what to do through its DevTools protocol on two pipes (no port, no client library)."""

    def __init__(self, profile: Path, *flags: str) -> None:
        from_us, self.write_to = os.pipe()
        self.read_from, to_us = os.pipe()
        ends = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, 10) for end in (from_us, to_us)]  # out of the way of 3 and 4
        self.process = subprocess.Popen(
            [sys.executable, "-c", START, *map(str, ends), str(CHROMIUM), *FLAGS, *flags, f"--user-data-dir={profile}"],
            pass_fds=ends,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        for end in (from_us, to_us, *ends):
            os.close(end)
        self.sent, self.received, self.events = 0, b"", list[dict[str, Any]]()
        self.session: str | None = None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.listen()
        self.call("Target.setAutoAttach", autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def listen(self) -> None:
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: Any) -> dict[str, Any]:
        self.sent += 1
        message = {"id": self.sent, "method": method, "params": params}
        message |= {"sessionId": self.session} if self.session else {}
        os.write(self.write_to, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self.sent:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self.received:
            assert select.select([self.read_from], [], [], 60)[0], "the browser is silent"
            part = os.read(self.read_from, 1 << 20)
            assert part, "the browser has ended"
            self.received += part
        message, _, self.received = self.received.partition(b"\0")
        answer = json.loads(message)
        if "method" in answer:
            self.events.append(answer)
            if answer["method"] == "Page.javascriptDialogOpening":  # it would hold the page for ever
                self.sent += 1
                reply = {"id": self.sent, "method": "Page.handleJavaScriptDialog", "params": {"accept": True}}
                os.write(self.write_to, json.dumps(reply | {"sessionId": answer["sessionId"]}).encode() + b"\0")
                return self._next()
        return answer

    def js(self, expression: str) -> Any:
        """What a JavaScript expression comes to, in the page or in the frame that is looked into."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def until(self, expression: str) -> Any:
        end = time.monotonic() + 60
        while not (value := self.js(expression)):
            assert time.monotonic() < end, f"never came true: {expression}"
            time.sleep(0.05)
        return value

    def open(self, url: str, width: int = 1280, height: int = 900, dark: bool = False, mobile: bool = False) -> None:
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": mobile}
        self.call("Emulation.setDeviceMetricsOverride", **size)
        self.call("Emulation.setTouchEmulationEnabled", enabled=mobile)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", features=[scheme])
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def draw_all(self) -> list[str]:
        """Scroll through the page until every chart is drawn; how each ended."""
        states = "[...document.querySelectorAll('.chart')].map(chart => chart.dataset.drawn || '')"
        for index in range(self.js("document.querySelectorAll('.chart').length")):
            chart = f"document.querySelectorAll('.chart')[{index}]"
            self.js(f"{chart}.scrollIntoView({{behavior: 'instant'}})")
            self.until(f"['yes', 'failed'].includes({chart}.dataset.drawn)")
        self.js("scrollTo({top: 0, behavior: 'instant'})")
        return self.js(states)

    def key(self, name: str) -> None:
        codes = {"ArrowRight": 39, "ArrowLeft": 37, "Home": 36, "End": 35, "Escape": 27, "Tab": 9}
        for kind in ("keyDown", "keyUp"):
            self.call("Input.dispatchKeyEvent", type=kind, key=name, code=name, windowsVirtualKeyCode=codes[name])

    def point_at(self, selector: str) -> None:
        """The mouse goes onto the middle of an element, after it has been scrolled to."""
        self.js(f"document.querySelector({selector!r}).scrollIntoView({{behavior: 'instant', block: 'center'}})")
        box = self.js(f"(() => {{const b = document.querySelector({selector!r}).getBoundingClientRect();"
                      "return [b.x + b.width / 2, b.y + b.height / 2]})()")  # fmt: skip
        for nudge in (0, 1):
            self.call("Input.dispatchMouseEvent", type="mouseMoved", x=box[0] + nudge, y=box[1])

    def touch(self, kind: str, *at: float) -> None:
        points = [{"x": at[0], "y": at[1]}] if at else []
        self.call("Input.dispatchTouchEvent", type=kind, touchPoints=points)

    def picture(self, name: str, whole: bool = True) -> None:
        if SCREENSHOTS and not whole:  # what is larger than the screen is laid out anew, and a tooltip is gone
            shot = self.call("Page.captureScreenshot")
            Path(SCREENSHOTS, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))
        elif SCREENSHOTS:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"x": 0, "y": 0, "width": size["width"], "height": size["height"], "scale": 1}
            shot = self.call("Page.captureScreenshot", captureBeyondViewport=True, clip=clip)
            Path(SCREENSHOTS, f"{name}.png").write_bytes(base64.b64decode(shot["data"]))

    def complaints(self) -> list[dict[str, Any]]:
        """Errors, warnings and dialogs since the page was opened."""
        bad = ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Page.javascriptDialogOpening")
        return [event for event in self.events if event["method"] in bad]

    def requests(self) -> set[str]:
        sent = [event for event in self.events if event["method"] == "Network.requestWillBeSent"]
        urls = {event["params"]["request"]["url"] for event in sent}
        return {url for url in urls if not url.startswith(("data:", "about:"))}

    @contextlib.contextmanager
    def inside_the_frame(self) -> Iterator[None]:
        """Look into the page's one frame. A sandboxed frame is a target of its own."""
        end = time.monotonic() + 60
        while not (session := self._session_of_the_frame()):
            assert time.monotonic() < end, "no frame has been attached"
            time.sleep(0.05)
            self.js("0")  # hear what has happened since
        outer, self.session = self.session, session
        try:
            self.listen()
            yield
        finally:
            self.session = outer

    def _session_of_the_frame(self) -> str | None:
        attached = [event["params"] for event in self.events if event["method"] == "Target.attachedToTarget"]
        return next((one["sessionId"] for one in reversed(attached) if one["targetInfo"]["type"] == "iframe"), None)

    def close(self) -> None:
        self.session = None
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        os.close(self.write_to)
        os.close(self.read_from)

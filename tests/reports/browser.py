"""A real browser for the report's tests: Chromium's DevTools protocol over a pipe, no library.

One session answers many checks: starting a browser is what takes time.
"""

from __future__ import annotations

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
from pathlib import Path
from typing import Any

EXECUTABLE = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), ""
)
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking",
    "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars", "--remote-debugging-pipe",
)  # fmt: skip
_BECOME = (
    "import os, sys; os.dup2(int(sys.argv[1]), 3); os.dup2(int(sys.argv[2]), 4); "
    "os.execv(sys.argv[3], sys.argv[3:])"
)
"""Chromium reads orders from descriptor 3 and answers on 4."""
_SECONDS = 120


class Browser:
    """One browser with one page."""

    def __init__(self, profile: Path) -> None:
        self._sent = 0
        self._left = b""
        self.events: list[dict[str, Any]] = []
        """What the page said since it was opened: console, exceptions, requests."""
        read, self._out = os.pipe()
        self._in, written = os.pipe()
        theirs_in, theirs_out = (fcntl.fcntl(end, fcntl.F_DUPFD, 10) for end in (read, written))
        os.close(read)
        os.close(written)
        command = [EXECUTABLE, *_FLAGS, f"--user-data-dir={profile}", "about:blank"]
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BECOME, str(theirs_in), str(theirs_out), *command],
            pass_fds=(theirs_in, theirs_out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(theirs_in)
        os.close(theirs_out)
        page = self._page()
        self._session = self.call("Target.attachToTarget", targetId=page, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")

    _session = ""

    def _page(self) -> str:
        targets = self.call("Target.getTargets")["targetInfos"]
        return next(str(t["targetId"]) for t in targets if t["type"] == "page")

    def call(self, method: str, **params: Any) -> Any:
        """Give an order and wait for its answer. Raises RuntimeError: the browser refused."""
        self._sent += 1
        order = {"id": self._sent, "method": method, "params": params}
        if self._session:
            order["sessionId"] = self._session
        data = json.dumps(order).encode() + b"\0"
        while data:
            data = data[os.write(self._out, data) :]
        while True:
            message = self._message()
            if message.get("id") == self._sent:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']}")
                return message["result"]
            self.events.append(message)

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + _SECONDS
        while b"\0" not in self._left:
            if not select.select([self._in], [], [], max(end - time.monotonic(), 0))[0]:
                raise TimeoutError(f"the browser said nothing for {_SECONDS} s")
            got = os.read(self._in, 1 << 20)
            if not got:
                raise RuntimeError("the browser has gone")
            self._left += got
        text, _, self._left = self._left.partition(b"\0")
        found: dict[str, Any] = json.loads(text)
        return found

    def open(self, page: Path, fragment: str = "", *, scripts: bool = True, width: int = 1280,
             height: int = 900, dark: bool = False, media: str = "") -> None:  # fmt: skip
        """Load a file and wait until it has loaded."""
        self.call("Emulation.setScriptExecutionDisabled", value=not scripts)
        self.view(width, height, dark=dark, media=media)
        self.events.clear()
        self.call("Page.navigate", url="about:blank")
        self._wait("Page.loadEventFired")
        self.events.clear()
        self.call("Page.navigate", url=f"{page.as_uri()}{fragment}")
        self._wait("Page.loadEventFired")

    def _wait(self, method: str) -> None:
        seen = 0
        while True:
            if any(event.get("method") == method for event in self.events[seen:]):
                return
            seen = len(self.events)
            self.events.append(self._message())

    def view(self, width: int, height: int, *, dark: bool = False, media: str = "") -> None:
        """Window and colours."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=False,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def js(self, expression: str) -> Any:
        """What an expression, or the promise it gives, comes to. Raises RuntimeError: it threw."""
        found = self.call(
            "Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True
        )
        if "exceptionDetails" in found:
            raise RuntimeError(str(found["exceptionDetails"])[:2_000])
        return found["result"].get("value")

    def until(self, expression: str) -> None:
        """Wait until an expression is true."""
        end = time.monotonic() + 30
        while not self.js(f"!!({expression})"):
            if time.monotonic() > end:
                raise TimeoutError(f"never true: {expression}")
            time.sleep(0.02)

    def key(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, code=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key, code=key)

    def click(self, selector: str, dx: float = 0.5, dy: float = 0.5) -> None:
        """Click into the first element that a selector finds, at these shares of its box."""
        box = self.js(
            f"(e => {{ e.scrollIntoView({{block: 'center', behavior: 'instant'}});"
            " const b = e.getBoundingClientRect();"
            " return [b.x, b.y, b.width, b.height] })"
            f"(document.querySelector({json.dumps(selector)}))"
        )
        at = {"x": box[0] + dx * box[2], "y": box[1] + dy * box[3]}
        self.call("Input.dispatchMouseEvent", type="mouseMoved", **at)
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, button="left", clickCount=1, **at)

    @property
    def complaints(self) -> list[str]:
        """Console messages, exceptions and refused or made requests since the page was opened."""
        said = []
        for event in self.events:
            method, params = event.get("method", ""), event.get("params", {})
            if method in ("Runtime.exceptionThrown", "Runtime.consoleAPICalled", "Log.entryAdded"):
                said.append(json.dumps(params)[:500])
            if method == "Network.requestWillBeSent" and params["type"] != "Document":
                url = params["request"]["url"]
                said += [] if url.startswith("data:") else [f"request: {url[:200]}"]
        return said

    def picture(self, path: Path, *, whole: bool = True) -> None:
        """A screenshot."""
        clip: dict[str, Any] = {}
        if whole:
            size = self.call("Page.getLayoutMetrics")["cssContentSize"]
            clip = {"captureBeyondViewport": True, "clip": {
                "x": 0, "y": 0, "scale": 1, "width": size["width"],
                "height": min(size["height"], 16_000)}}  # fmt: skip
        data = self.call("Page.captureScreenshot", format="png", **clip)["data"]
        path.write_bytes(base64.b64decode(data))

    def close(self) -> None:
        """End it."""
        with contextlib.suppress(OSError, RuntimeError, TimeoutError):
            self._session = ""
            self.call("Browser.close")
        self._process.terminate()
        self._process.wait(30)
        os.close(self._in)
        os.close(self._out)

"""A real vLLM server of one checkpoint on this machine, for the scripts beside this one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Self
from urllib.error import URLError
from urllib.request import urlopen

from rlvr_gate_fixtures.processes.families import end_lost

_QUIET = {
    "VLLM_CPU_KVCACHE_SPACE": "1",
    "VLLM_NO_USAGE_STATS": "1",
    "VLLM_LOGGING_LEVEL": "ERROR",
}
_START_SECONDS = 300


def available() -> bool:
    """Whether vLLM is installed."""
    return find_spec("vllm") is not None


class Served:
    """`vllm serve` in a process group of its own, always on the same port."""

    def __init__(self, checkpoint: Path, log: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self._port = free.getsockname()[1]
        self._checkpoint, self._log = checkpoint, log
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}/v1"

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [
                    sys.executable, "-m", "vllm.entrypoints.openai.api_server",
                    "--model", str(self._checkpoint), "--host", "127.0.0.1",
                    "--port", str(self._port), "--dtype", "bfloat16", "--enforce-eager",
                    "--disable-uvicorn-access-log",
                ],
                stdout=log, stderr=log, start_new_session=True, env=_QUIET | os.environ,
            )  # fmt: skip
        until = time.monotonic() + _START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise SystemExit(f"no server started:\n{self._log.read_text()[-3000:]}")
            time.sleep(0.5)

    def kill(self) -> None:
        """`kill -9` of the server and its engine, but of what then unlinks their shared memory."""
        if self._process:
            end_lost("nobody is marked so", self._process.pid)
            self._process.wait()

    def _answers(self) -> bool:
        try:
            with urlopen(f"http://127.0.0.1:{self._port}/health", timeout=5):
                return True
        except (URLError, OSError):
            return False

"""A real vLLM server, for the tests that ask one."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from rlvr_gate.records import Checkpoint
from rlvr_gate_fixtures.processes.families import end_lost


@pytest.fixture(scope="module")
def vllm(base: Checkpoint, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, int]]:
    """URL and process group of a server of the shipped base."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    path = tmp_path_factory.mktemp("serve") / "log"
    command = [sys.executable, "-m", "vllm.entrypoints.openai.api_server", "--model",
               str(base.path), "--host", "127.0.0.1", "--port", str(port), "--dtype", "bfloat16",
               "--enforce-eager", "--served-model-name", "tiny"]  # fmt: skip
    quiet = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1"}
    with path.open("w") as log:
        serving = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env=os.environ | quiet
        )
    try:
        for _ in range(360):
            if serving.poll() is not None or answers(f"http://127.0.0.1:{port}/health"):
                break
            time.sleep(0.5)
        assert serving.poll() is None, path.read_text()[-3000:]
        yield f"http://127.0.0.1:{port}/v1", serving.pid
    finally:
        serving.terminate()  # so that it unlinks its shared memory
        with suppress(subprocess.TimeoutExpired):
            serving.wait(20)
        end_lost("nobody is marked so", serving.pid)
        serving.wait()


def answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5):
            return True
    except (URLError, OSError):
        return False

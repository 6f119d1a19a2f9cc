"""A child that leaves what engines leave, and with an argument the process that started it.

`littering.py run` draws until a line comes in, then leaves; it prints what the child told first.
"""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from multiprocessing.shared_memory import SharedMemory
from pathlib import Path

from rlvr_gate.records import Checkpoint, Sampling, Stream
from rlvr_gate_fixtures.backends import BackendError, Request
from rlvr_gate_fixtures.backends.children.child import ChildBackend
from rlvr_gate_fixtures.backends.children.jobs import Emit, Job, serve


class Littering(ChildBackend):
    name = "littering"
    module = "littering"
    own_folder = True

    def identity(self) -> str:
        return "littering"

    def options(self) -> Mapping[str, object]:
        return {}


def complete(job: Job, emit: Emit) -> None:
    """Samples for ever, after a file, processes and shared memory that nobody takes back."""
    held = SharedMemory(create=True, size=100)
    _, file = tempfile.mkstemp()
    near = subprocess.Popen(["sleep", "600"])
    far = subprocess.Popen(["sleep", "600"], start_new_session=True)
    pids = [os.getppid(), os.getpid(), near.pid, far.pid]
    told = {"file": file, "shared": f"/dev/shm/{held.name}", "pids": pids}
    for sample in range(10**9):
        emit([0, sample, [5], json.dumps(told), "stop", -1.0])
        time.sleep(0.001)


def run() -> None:
    checkpoint = Checkpoint("base", "x", Path("/x"), "D", "", "", (0,))
    stream = Stream("D", Sampling(), (0,), "littering", 0)
    drawing = Littering().complete(checkpoint, stream, [Request((1,), 0, 10**9)])
    sys.stdout.write(next(drawing).completion.text + "\n")
    sys.stdout.flush()
    try:
        while not select.select([sys.stdin], [], [], 0)[0]:
            next(drawing)
    except BackendError:
        pass
    del drawing
    sys.stdout.write("left\n")
    sys.stdout.flush()
    time.sleep(600)


if __name__ == "__main__":
    if sys.argv[1:]:
        run()
    else:
        serve(complete=complete)

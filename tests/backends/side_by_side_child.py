"""A child without a model, for the tests of devices: its texts tell what it sees.

A job's `options` may have it meet others first (`meet`: so many files in `folder`), wait before
each sample (`delay` seconds), or fail where a device is visible (`fail_on`).
"""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

from rlvr_gate_fixtures.backends.children.jobs import Emit, Job, Refused, serve


def complete(job: Job, emit: Emit) -> None:
    """Every requested sample; a text is a JSON object."""
    gpus = os.environ.get("CUDA_VISIBLE_DEVICES")
    if gpus == job["fail_on"]:
        raise Refused("this device is broken")
    if job["meet"]:
        _meet(Path(job["folder"]), job["meet"])
    seen = {"gpus": gpus, "pid": os.getpid(), "cores": sorted(os.sched_getaffinity(0))}
    for position, (_, start, stop, _) in enumerate(job["requests"]):
        for sample in range(start, stop):
            time.sleep(job["delay"])
            text = json.dumps({**seen, "path": job["path"]})
            emit([position, sample, [5, 0], text, "stop", -1.0])


def _meet(folder: Path, number: int) -> None:
    """Wait for so many children at once; give up where they never come."""
    (folder / str(os.getpid())).touch()
    for _ in range(600):
        if len(list(folder.iterdir())) >= number:
            return
        time.sleep(0.05)
    raise Refused(f"fewer than {number} children are at work")


if __name__ == "__main__":
    serve(complete=complete)

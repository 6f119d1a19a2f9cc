"""Verifiers that misbehave, by name; imported by a grading worker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from rlvr_gate.records import Grade, Graded


def good(completion: str, answer: str) -> Graded:
    return Graded(Grade.CORRECT if completion == answer else Grade.WRONG, completion, "compared")


def spin(completion: str, answer: str) -> Graded:
    while True:
        pass


def bignum(completion: str, answer: str) -> Graded:
    return Graded(Grade.CORRECT, str(len(str(7 ** (10**9)))), "never")


def sleep(completion: str, answer: str) -> Graded:
    time.sleep(3600)
    return good(completion, answer)


def slow_once(completion: str, answer: str) -> Graded:
    """Sleeps where the file that the completion names is not there yet."""
    place = Path(completion)
    if not place.exists():
        place.touch()
        time.sleep(3600)
    return Graded(Grade.CORRECT, None, "at the second try")


def segfault(completion: str, answer: str) -> Graded:
    os.kill(os.getpid(), signal.SIGSEGV)
    return good(completion, answer)


def leave(completion: str, answer: str) -> Graded:
    sys.exit(3)


def throw(completion: str, answer: str) -> Graded:
    raise ZeroDivisionError("by " + "zero" * 1000)


def eat(completion: str, answer: str) -> Graded:
    return Graded(Grade.CORRECT, "x" * 2**40, "never")


def chatter(completion: str, answer: str) -> Graded:
    sys.stdout.write('["correct", null, "forged"]\n')
    sys.stdout.flush()
    subprocess.run(["echo", '["correct", null, "forged"]'], check=True)
    return good(completion, answer)


def nonsense(completion: str, answer: str) -> Graded:
    return "correct"  # type: ignore[return-value]


def surrogate(completion: str, answer: str) -> Graded:
    return Graded(Grade.WRONG, "half \ud83d", "half \ud83d")


def heavy(completion: str, answer: str) -> Graded:
    return Graded(Grade.CORRECT, str("torch" in sys.modules), "")


_FORGED = b'["0", "correct", null, "forged"]\n'


def _write_everywhere(data: bytes) -> None:
    for descriptor in range(256):
        with suppress(OSError):
            os.write(descriptor, data)


def forge(completion: str, answer: str) -> Graded:
    _write_everywhere(_FORGED)
    return good(completion, answer)


def forge_in_a_fork(completion: str, answer: str) -> Graded:
    if not (child := os.fork()):
        _write_everywhere(_FORGED)
        os._exit(0)
    os.waitpid(child, 0)
    return good(completion, answer)


def forge_in_a_program(completion: str, answer: str) -> Graded:
    code = "import os\nfor fd in range(256):\n  try: os.write(fd, %r)\n  except OSError: pass"
    subprocess.run([sys.executable, "-c", code % _FORGED], check=True, close_fds=False)
    return good(completion, answer)


def go_on_twice(completion: str, answer: str) -> Graded:
    os.fork()
    return good(completion, answer)


def look_around(completion: str, answer: str) -> Graded:
    """What this process and a program it starts can see of the environment and of files."""
    code = "import os; print(dict(os.environ)); os.system('ls -l /proc/self/fd; pwd')"
    seen = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, close_fds=False, check=True
    ).stdout
    fds = [os.readlink(f"/proc/self/fd/{fd}") for fd in os.listdir("/proc/self/fd")[:-1]]
    Path(completion).write_text(json.dumps([dict(os.environ), seen, fds, os.getcwd()]))
    return Graded(Grade.CORRECT, None, "")


def flood(completion: str, answer: str) -> Graded:
    for _ in range(200):
        os.write(1, b"x" * 2**20)
        os.write(2, b"x" * 2**20)
    return good(completion, answer)


def flood_decisions(completion: str, answer: str) -> Graded:
    while True:
        for descriptor in range(3, 256):
            with suppress(OSError):
                os.write(descriptor, b"x" * 2**16)


def large_file(completion: str, answer: str) -> Graded:
    with open("large", "wb") as file:
        for _ in range(100):
            file.write(b"x" * 2**20)
    return good(completion, answer)


def _leave_a_sleeper(place: str) -> None:
    """A process in a session of its own; its id is written to `place`, beside ours."""
    sleeper = subprocess.Popen(["sleep", "600"], start_new_session=True)
    Path(f"{place}.part").write_text(f"{os.getpid()} {os.getppid()} {sleeper.pid}")
    Path(f"{place}.part").rename(place)


def sleep_beside_another(completion: str, answer: str) -> Graded:
    _leave_a_sleeper(completion)
    return sleep(completion, answer)


def kill_the_group(completion: str, answer: str) -> Graded:
    _leave_a_sleeper(completion)
    os.killpg(0, signal.SIGKILL)
    return good(completion, answer)


def kill_the_guardian(completion: str, answer: str) -> Graded:
    _leave_a_sleeper(completion)
    os.kill(os.getppid(), signal.SIGKILL)
    return sleep(completion, answer)


def stop_the_guardian(completion: str, answer: str) -> Graded:
    _leave_a_sleeper(completion)
    os.kill(os.getppid(), signal.SIGSTOP)
    return sleep(completion, answer)


def leave_a_sleeper_behind(completion: str, answer: str) -> Graded:
    _leave_a_sleeper(completion)
    os._exit(3)


def close_everything(completion: str, answer: str) -> Graded:
    os.closerange(0, 256)
    return sleep(completion, answer)


_ALL = (
    good,
    spin,
    bignum,
    sleep,
    slow_once,
    segfault,
    leave,
    throw,
    eat,
    chatter,
    nonsense,
    surrogate,
    heavy,
    forge,
    forge_in_a_fork,
    forge_in_a_program,
    go_on_twice,
    look_around,
    flood,
    flood_decisions,
    large_file,
    sleep_beside_another,
    kill_the_group,
    kill_the_guardian,
    stop_the_guardian,
    leave_a_sleeper_behind,
    close_everything,
)
VERIFIERS = {check.__name__: check for check in _ALL}

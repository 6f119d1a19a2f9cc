"""Verifiers that misbehave, by name; imported by a grading worker."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

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


_ALL = (
    good,
    spin,
    bignum,
    sleep,
    segfault,
    leave,
    throw,
    eat,
    chatter,
    nonsense,
    surrogate,
    heavy,
)
VERIFIERS = {check.__name__: check for check in _ALL}

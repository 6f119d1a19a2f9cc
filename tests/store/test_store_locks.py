"""Several connections of one process beside those of others: nobody's writes are lost."""

from __future__ import annotations

import subprocess
import sys

from rlvr_gate.records import Completion, FinishReason, Sampling, Stream
from rlvr_gate_fixtures.store.samples import Store

STREAM = Stream("D1", Sampling(), (0,), "toy", 0)
LOOK = (
    "import sys; from pathlib import Path; from rlvr_gate_fixtures.store.samples import Store\n"
    "with Store.open(Path(sys.argv[1])) as s: print(s.rows('SELECT count(*) FROM draws')[0][0])"
)


def completion(sample: int) -> Completion:
    return Completion(sample, (5, 0), "a", FinishReason.STOP, -1.0)


def counted_elsewhere(folder, env) -> int:
    """By a process that opens the store, and is the last to close it where it knows no other."""
    told = subprocess.run(
        [sys.executable, "-c", LOOK, str(folder)], env=env, check=True, capture_output=True
    )
    return int(told.stdout)


def test_a_second_connection_does_not_let_go_of_the_first_one_s_locks(tmp_path, child_env):
    """Closing a file takes a process's locks on it away, whoever else in it has them."""
    with Store.open(tmp_path) as store:
        store.add(STREAM, [((1,), completion(0))])
        with Store.open(tmp_path, readonly=True) as second:
            assert counted_elsewhere(tmp_path, child_env) == 1
            store.add(STREAM, [((1,), completion(1))])
            assert counted_elsewhere(tmp_path, child_env) == 2
            assert second.rows("SELECT count(*) FROM draws")[0][0] == 2
        assert counted_elsewhere(tmp_path, child_env) == 2
        store.add(STREAM, [((1,), completion(2))])
        assert counted_elsewhere(tmp_path, child_env) == 3
    assert counted_elsewhere(tmp_path, child_env) == 3

"""A verifier may hang, crash or lie on standard output; a completion is then unscored."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from rlvr_gate.records import Grade
from rlvr_gate_fixtures.grading.pool import Grader, GradingError, ToGrade
from rlvr_gate_fixtures.processes.limits import Limits

BAD = "verifiers_gone_wrong:VERIFIERS"


@pytest.fixture(autouse=True)
def importable(monkeypatch):
    """The worker imports what this process could."""
    monkeypatch.syspath_prepend(str(Path(__file__).parent))


@pytest.fixture
def grader():
    with Grader[int](Limits(cpu_seconds=1, wall_seconds=120), BAD) as opened:
        yield opened


def decide(grader, *verifiers: str, completion: str = "5"):
    """Grades in the order of submission; the answer is always 5."""
    grader.submit(ToGrade(key, name, completion, "5") for key, name in enumerate(verifiers))
    decided = []
    while grader.pending:
        decided += grader.poll(0.2)
    assert [ask.key for ask, _ in decided] == list(range(len(verifiers)))
    return [graded for _, graded in decided]


def test_many_completions_come_back_in_order(grader):
    grades = decide(grader, *["good"] * 3000)
    assert {g.grade for g in grades} == {Grade.CORRECT}


@pytest.mark.parametrize(
    ("verifier", "reason"),
    [
        ("spin", "timeout: more than 1 s of CPU time"),
        ("bignum", "timeout: more than 1 s of CPU time"),
        ("segfault", "crash: the verifier's process ended with SIGSEGV"),
        ("leave", "crash: the verifier's process ended with exit status 3"),
        ("throw", "crash: ZeroDivisionError: by zero"),
        ("eat", "crash: MemoryError"),
        ("nonsense", "crash: AttributeError"),
        ("absent", "crash: KeyError"),
    ],
)
def test_what_a_verifier_does_not_survive_is_unscored_and_the_rest_is_graded(
    grader, verifier, reason
):
    before, lost, *after = decide(grader, "good", verifier, *["good"] * 300)
    assert (lost.grade, lost.extracted) == (Grade.UNSCORED, None)
    assert lost.reason.startswith(reason)
    assert len(lost.reason) <= 1000
    assert {g.grade for g in (before, *after)} == {Grade.CORRECT}


def test_a_verifier_that_sleeps_is_ended_by_the_wall_clock():
    with Grader[int](Limits(wall_seconds=2), BAD) as grader:
        lost, good = decide(grader, "sleep", "good")
    assert (lost.grade, lost.reason) == (Grade.UNSCORED, "timeout: no decision within 8 s")
    assert good.grade is Grade.CORRECT


def test_what_a_machine_under_load_ends_is_graded_at_the_second_try(tmp_path):
    """It sleeps too long the first time, and all the same is right."""
    with Grader[int](Limits(wall_seconds=2), BAD) as grader:
        first, other = decide(grader, "slow_once", "good", completion=str(tmp_path / "been here"))
    assert (first.grade, first.reason) == (Grade.CORRECT, "at the second try")
    assert other.grade is Grade.WRONG


def test_where_all_sleep_no_more_time_is_given(tmp_path):
    started = time.monotonic()
    with Grader[int](Limits(wall_seconds=0.5), BAD) as grader:
        grades = decide(grader, *["sleep"] * 5)
    assert [g.reason.split()[-2] for g in grades] == ["2", "2", "2", "0.5", "0.5"]
    assert time.monotonic() - started < 60


def test_an_honest_second_try_gives_hope_again(tmp_path):
    """After three in vain one that comes through would not be tried; before, it resets them."""
    with Grader[int](Limits(wall_seconds=1), BAD) as grader:
        grader.submit([ToGrade(0, "sleep", "5", "5"), ToGrade(1, "sleep", "5", "5"),
                       ToGrade(2, "slow_once", str(tmp_path / "a"), "5"),
                       ToGrade(3, "sleep", "5", "5")])  # fmt: skip
        decided = []
        while grader.pending:
            decided += grader.poll(0.2)
    assert [graded.reason for _, graded in decided] == [
        "timeout: no decision within 4 s", "timeout: no decision within 4 s", "at the second try",
        "timeout: no decision within 4 s",
    ]  # fmt: skip


def test_a_worker_is_replaced_as_often_as_needed(grader):
    grades = decide(grader, "segfault", "segfault", "good", "segfault")
    assert [g.grade.value for g in grades] == ["unscored", "unscored", "correct", "unscored"]


def test_what_a_verifier_prints_is_no_decision(grader):
    assert decide(grader, "chatter", "chatter", completion="6")[0].grade is Grade.WRONG


def test_half_surrogates_are_made_storable(grader):
    graded = decide(grader, "surrogate")[0]
    assert (graded.extracted, graded.reason) == ("half ?", "half ?")


def test_a_worker_imports_no_torch(grader):
    assert decide(grader, "heavy")[0].extracted == "False"


def test_large_completions_pass_through(grader):
    graded = decide(grader, *["good"] * 40, completion="é" * 100_000)
    assert {g.grade for g in graded} == {Grade.WRONG}
    assert len(graded[0].extracted) == 1000


def test_long_completions_are_graded_however_seldom_somebody_looks():
    """A pipe takes 64 KiB at a look: the clock of a verifier starts when it has all of a chunk."""
    with Grader[int](Limits(wall_seconds=1), BAD) as grader:
        grader.submit(ToGrade(key, "good", "5" * 200_000, "5") for key in range(24))
        decided = []
        while grader.pending:
            decided += grader.poll(0)
            time.sleep(0.1)
    assert {graded.grade for _, graded in decided} == {Grade.WRONG}
    assert len(decided) == 24


def test_a_worker_that_cannot_start_is_nobody_s_grade():
    with Grader[int](verifiers="no_such_module:VERIFIERS") as grader:
        grader.submit([ToGrade(0, "good", "5", "5")])
        with pytest.raises(
            GradingError, match=r"did not start: ModuleNotFoundError: .*no_such_module"
        ):
            grader.poll(1)
        assert grader.pending == 1


def test_closing_kills_a_verifier_at_work(grader):
    grader.submit([ToGrade(0, "sleep", "5", "5")])
    grader.poll(0)
    pid = grader._worker._process.process.pid
    grader.close()
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


needs_proc = pytest.mark.skipif(
    not Path("/proc/self/stat").exists(), reason="orphans are found by /proc alone"
)


def gone(pids: list[int]) -> bool:
    """Within some time; nothing ends them but what is tested."""
    deadline = time.monotonic() + 60
    while any(map(alive, pids)):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


@needs_proc
@pytest.mark.parametrize("verifier", ["good", "sleep_beside_another"])
def test_a_worker_and_all_it_started_end_when_their_parent_is_killed(
    child_env, tmp_path, verifier
):
    place = tmp_path / "pids"
    code = (
        "import sys, time; from rlvr_gate_fixtures.grading.pool import ToGrade, Grader\n"
        f"grader = Grader(verifiers={BAD!r}); grader.start()\n"
        f"grader.submit([ToGrade(0, {verifier!r}, {str(place)!r}, '5')])\n"
        "while time.sleep(0.01) is None: grader.poll(0); "
        "print(grader._worker._process.process.pid, flush=True)"
    )
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=child_env, stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(parent.stdout.readline())]
        if verifier != "good":
            pids += told(place)
        assert all(map(alive, pids))
        parent.kill()
    assert gone(pids)


def told(place: Path) -> list[int]:
    """What a verifier wrote of itself, its guardian and the process it left."""
    deadline = time.monotonic() + 60
    while not place.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return list(map(int, place.read_text().split()))


@needs_proc
@pytest.mark.parametrize(
    ("verifier", "reason"),
    [
        ("leave_a_sleeper_behind", "crash: the verifier's process ended with exit status 3"),
        ("kill_the_group", "crash: the verifier's process ended with SIGKILL"),
        ("kill_the_guardian", "crash: the verifier's process ended with SIGKILL"),
        ("stop_the_guardian", "timeout: no decision within 8 s"),
    ],
)
def test_no_verifier_rids_its_processes_of_their_end(tmp_path, verifier, reason):
    place = tmp_path / "pids"
    with Grader[int](Limits(wall_seconds=2), BAD) as grader:
        lost, other = decide(grader, verifier, "good", completion=str(place))
        assert gone(told(place))
    assert (lost.grade, lost.reason) == (Grade.UNSCORED, reason)
    assert other.grade is Grade.WRONG


@pytest.mark.parametrize("verifier", ["forge", "forge_in_a_fork"])
def test_what_is_written_to_the_worker_s_own_pipe_is_no_decision(grader, verifier):
    lost, *after = decide(grader, verifier, "good", "good", completion="6")
    assert lost.grade is Grade.UNSCORED
    assert lost.reason.startswith("crash: what came from the verifier's process is no decision")
    assert {g.grade for g in after} == {Grade.WRONG}


def test_a_program_that_a_verifier_starts_reaches_no_pipe_of_the_worker(grader):
    assert decide(grader, "forge_in_a_program", completion="6")[0].grade is Grade.WRONG


def test_a_verifier_that_goes_on_twice_decides_once(grader):
    grades = decide(grader, "go_on_twice", *["good"] * 300)
    assert {g.grade for g in grades} == {Grade.CORRECT}


@needs_proc
def test_a_verifier_sees_nothing_of_ours(tmp_path, monkeypatch):
    secret = tmp_path / "planted.txt"
    secret.write_text("planted")
    monkeypatch.setenv("RLVR_GATE_API_KEY", "planted")
    monkeypatch.setenv("HTTPS_PROXY", "http://planted@host")
    with secret.open() as file, Grader[int](verifiers=BAD) as grader:
        os.set_inheritable(file.fileno(), True)
        (graded,) = decide(grader, "look_around", completion=str(tmp_path / "seen"))
    assert graded.grade is Grade.CORRECT, graded.reason
    seen = (tmp_path / "seen").read_text()
    environment, _, descriptors, folder = json.loads(seen)
    assert "planted" not in seen
    assert str(Path.home()) not in (environment["HOME"], folder)
    assert not Path(folder).exists()
    assert set(environment) <= {
        "PATH", "LANG", "LC_CTYPE", "PYTHONPATH", "HOME", "TMPDIR", "RLVR_GATE_CHILD",
        "RLVR_GATE_FOLDER", "LD_LIBRARY_PATH", "PYTHONHOME",
    }  # fmt: skip
    assert sorted(d.partition(":")[0] for d in descriptors) == ["/dev/null"] * 3 + ["pipe"] * 2


def test_floods_cost_nothing(grader):
    flooded, decisions, file, good = decide(
        grader, "flood", "flood_decisions", "large_file", "good", completion="5"
    )
    assert (flooded.grade, good.grade) == (Grade.CORRECT, Grade.CORRECT)
    assert decisions.reason.startswith("crash: what came from the verifier's process")
    assert file.reason.startswith("crash: OSError: [Errno 27] File too large")


def test_a_worker_that_hangs_up_is_not_waited_for():
    with Grader[int](Limits(wall_seconds=60), BAD) as grader:
        lost, good = decide(grader, "close_everything", "good")
    assert lost.reason.startswith("crash: the verifier's process ended")
    assert good.grade is Grade.CORRECT


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"


def test_the_shipped_verifiers_grade_thousands_a_second():
    with Grader[int]() as grader:
        grader.start()
        started = time.process_time()
        decided = decide(grader, *["exact"] * 10_000)
        assert {g.grade for g in decided} == {Grade.CORRECT}
        assert time.process_time() - started < 2


def test_a_worker_that_somebody_kills_costs_no_completion(grader):
    """The completion at hand gets a second worker; what kills that too is unscored."""
    grader.submit(ToGrade(key, "good", "5", "5") for key in range(2000))
    decided = grader.poll(5)
    mine = ["pgrep", "-P", str(os.getpid()), "-f", "rlvr_gate_fixtures.grading"]
    (pid,) = subprocess.run(mine, capture_output=True, text=True, check=True).stdout.split()
    os.kill(int(pid), signal.SIGKILL)
    while grader.pending:
        decided += grader.poll(0.2)
    assert [ask.key for ask, _ in decided] == list(range(2000))
    assert {graded.grade for _, graded in decided} == {Grade.CORRECT}

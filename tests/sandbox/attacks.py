"""Programs that want to be graded correct without solving anything, or to do harm.

Run as a script it tries all of them behind the walls it is given and prints what came of it.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
import time

from rlvr_gate_fixtures.processes.families import descendants
from rlvr_gate_fixtures.processes.limits import Limits
from rlvr_gate_fixtures.sandbox.cell import Cell, CellError, NoWallsError

JOB = {
    "entry_point": "add",
    "prompt": "def add(a, b):\n    ...\n",
    "test": "SECRET = 271828\n\ndef check(candidate):\n"
    "    assert candidate(2, 3) == 5\n    assert candidate(SECRET, 1) == 271829\n"
    "    assert candidate('a', 'b') == 'ab'\n",
}
RIGHT = "def add(a, b): return a + b"
LIMITS = Limits(
    cpu_seconds=1,
    wall_seconds=2,
    memory_bytes=2**30,
    file_bytes=2**20,
    open_files=32,
    processes=32,
)

FORGERIES = {
    "exit at once": "import sys; sys.exit(0)",
    "exit hard": "import os; os._exit(0)",
    "exit in a call": "import sys\ndef add(a, b): sys.exit(0)",
    "exit hard in a call": "import os\ndef add(a, b): os._exit(0)",
    "equal to everything": "class E:\n  def __eq__(s, o): return True\n  __ne__ = lambda s, o: False\n"
    "  __hash__ = lambda s: 5\ndef add(a, b): return E()",
    "an int equal to everything": "class E(int):\n  def __eq__(s, o): return True\n"
    "def add(a, b): return E(1)",
    "a str equal to everything": "class E(str):\n  def __eq__(s, o): return True\n"
    "def add(a, b): return E('x')",
    "a class that says it is int": "class E:\n  __class__ = int\n  def __eq__(s, o): return True\n"
    "def add(a, b): return E()",
    "builtins replaced": "import builtins\nbuiltins.AssertionError = None\nbuiltins.isinstance = "
    "lambda *a: True\nbuiltins.all = lambda *a: True\ndef add(a, b): return 0",
    "assertions caught": "def add(a, b):\n  try:\n    raise AssertionError\n  except: pass",
    "an assertion raised": "def add(a, b): raise AssertionError",
    "settrace": "import sys\nsys.settrace(lambda f, e, a: None)\nsys.setprofile(print)\n"
    "def add(a, b): return None",
    "check replaced": "def check(candidate): pass\nimport sys\nfor m in list(sys.modules.values()):\n"
    "  try: m.check = check; m._decision = lambda *a: ('correct', '')\n  except Exception: pass\n"
    "def add(a, b): return 0",
    "frames": "import sys\ndef add(a, b):\n  f = sys._getframe()\n  while f:\n"
    "    for v in list(f.f_locals.values()) + list(f.f_globals.values()):\n"
    "      if '271828' in str(v)[:10**5] and callable(v): return v\n    f = f.f_back",
    "objects in memory": "import gc\ndef add(a, b):\n  for o in gc.get_objects():\n"
    "    if isinstance(o, dict) and 'SECRET' in o: return o['SECRET'] + 1\n  return 5 if a == 2 else None",
    "memory of others": "def add(a, b):\n  return open('/proc/%d/mem' % 2, 'rb').read()",
    "a forged decision": 'import os\nfor d in range(64):\n  try: os.write(d, b\'["correct", ""]\')\n'
    "  except OSError: pass\ndef add(a, b): return 0",
    "a forged answer": "import os, json, struct\nm = json.dumps({'value': 5}).encode()\n"
    "for d in range(64):\n  try: os.write(d, struct.pack('>I', len(m)) + m)\n  except OSError: pass\n"
    "def add(a, b): return 0",
    "junk for an answer": "import os\ndef add(a, b):\n  os.write(5, b'\\xff' * 100)\n  os._exit(0)",
    "a deep answer": "import os\nm = b'[' * 10**6\ndef add(a, b):\n"
    "  os.write(5, len(m).to_bytes(4, 'big'))\n  os.write(5, m)\n  import time; time.sleep(1)",
    "a success token": "print('OK passed correct', flush=True)\ndef add(a, b):\n  print('[\"correct\", \"\"]')",
    "stdout closed": "import sys, os\nsys.stdout.close(); os.close(1)\ndef add(a, b): return 0",
    "endless": "while True: pass",
    "endless call": "def add(a, b):\n  while True:\n    try:\n      while True: pass\n    except: pass",
    "signals ignored": "import signal\nfor s in range(1, 65):\n  try: signal.signal(s, lambda *a: None)\n"
    "  except (OSError, ValueError): pass\ndef add(a, b):\n  while True: pass",
    "sleeping": "import time\ndef add(a, b): time.sleep(60)",
    "memory": "def add(a, b):\n  x = []\n  while True: x.append(bytearray(2**22))",
    "memory kept": "x = []\nwhile True:\n  try: x.append(bytearray(2**20))\n  except MemoryError: pass",
    "a flood": "import sys, os\nwhile True:\n  try: os.write(2, b'x' * 65536)\n  except OSError: pass",
    "recursion": "import sys\nsys.setrecursionlimit(10**9)\ndef add(a, b): return add(a, b)",
    "an endless iterator": "class E:\n  def __iter__(s):\n    while True: yield 5\ndef add(a, b): return E()",
    "threads left": "import threading, time\nfor _ in range(20):\n"
    "  threading.Thread(target=time.sleep, args=(99,)).start()\ndef add(a, b): return 0",
    "threads without end": "import threading, time\nthreading.stack_size(32768)\nwhile True:\n"
    "  try: threading.Thread(target=time.sleep, args=(99,)).start()\n  except RuntimeError: pass",
    "kill the judge": "import os, signal\nfor p in [-1, 0, os.getppid(), *range(1, 400)]:\n"
    "  if p != os.getpid():\n    try: os.kill(p, signal.SIGKILL)\n    except OSError: pass\n"
    "def add(a, b): return 0",
    "stop the judge": "import os, signal\nfor p in range(1, 400):\n  if p != os.getpid():\n"
    "    try: os.kill(p, signal.SIGSTOP)\n    except OSError: pass\ndef add(a, b): return 0",
    "segfault": "import ctypes\ndef add(a, b): ctypes.string_at(0)",
    "at exit": "import atexit, os\n@atexit.register\ndef _():\n  for d in range(64):\n"
    '    try: os.write(d, b\'["correct", ""]\')\n    except OSError: pass\ndef add(a, b): return 0',
    "aborting": "import os\ndef add(a, b): os.abort()",
    "an interrupt": "def add(a, b): raise KeyboardInterrupt",
    "an exit that is caught": "def add(a, b): raise SystemExit('correct')",
    "stopped": "import os, signal\ndef add(a, b): os.kill(os.getpid(), signal.SIGSTOP)",
    "the wire replaced": "from rlvr_gate_fixtures.sandbox import wire, solution, values\n"
    "solution.encoded = values.encoded = lambda v, left: {'type': 'object'}\n"
    "solution._answer = lambda work, left: {'value': {'left': [0, 'int']}}\ndef add(a, b): return 0",
    "all names known": "import rlvr_gate_fixtures.sandbox.solution as s\n"
    "s._done = lambda asked, names, left: asked['with'] if asked['do'] == 'known' else True",
    "not implemented": "def add(a, b): return NotImplemented",
    "half a message": "import os, time\ndef add(a, b):\n  os.write(5, b'\\0\\0\\1\\0{')\n  time.sleep(9)",
    "a message without end": "import os\ndef add(a, b):\n  os.write(5, b'\\xff\\xff\\xff\\xff')\n"
    "  while True: os.write(5, b'[' * 65536)",
    "collisions": "def add(a, b): return {n * (2**61 - 1) for n in range(3)} | set(range(10**5))",
    "nan": "def add(a, b): return float('nan')",
    "not equal to itself": "class N(float):\n  __eq__ = __ge__ = __le__ = lambda s, o: True\n"
    "def add(a, b): return N('nan')",
    "deep": "def add(a, b):\n  x = []\n  for _ in range(10**5): x = [x]\n  return x",
    "round and round": "def add(a, b):\n  x = []\n  x.append(x)\n  return x",
    "a long number": "def add(a, b): return 1 << 10**8",
    "a long decimal": "from decimal import Decimal\ndef add(a, b): return Decimal('1e999999999')",
    "no fraction": "import os, json\ndef add(a, b):\n"
    "  m = json.dumps({'value': {'fraction': ['0x1', '0x0']}}).encode()\n"
    "  os.write(5, len(m).to_bytes(4, 'big') + m)",
    "kill the judge by a pipe": "import os, fcntl\nr, w = os.pipe()\nfor p in range(1, 400):\n"
    "  if p != os.getpid():\n    try:\n      fcntl.fcntl(r, 8, p); fcntl.fcntl(r, 10, 9)\n"
    "      fcntl.fcntl(r, 4, fcntl.fcntl(r, 3) | os.O_ASYNC); os.write(w, b'x')\n"
    "    except OSError: pass\ndef add(a, b): return 0",
}
"""None of them adds; none may be decided `correct`."""

HARM = {
    "network": "import socket; socket.create_connection(('127.0.0.1', 22))",
    "a socket": "import socket; socket.socketpair()",
    "fork": "os.fork()",
    "a fork bomb": "while True: os.fork()",
    "fork by number": "import ctypes; l = ctypes.CDLL(None); assert l.syscall(57) > 0 or l.syscall(58) > 0",
    "clone by number": "import ctypes; l = ctypes.CDLL(None); assert l.syscall(56, 17, 0, 0, 0, 0) > 0",
    "a program": "import subprocess; subprocess.run(['/bin/true'])",
    "a shell": "assert os.system('true') == 0",
    "a daemon": "os.setsid()\nos.fork()",
    "namespaces": "import ctypes; assert ctypes.CDLL(None).unshare(0x10000000) == 0",
    "a mount": "import ctypes; assert ctypes.CDLL(None).mount(b'x', b'/tmp', b'tmpfs', 0, None) == 0",
    "tracing": "import ctypes; assert ctypes.CDLL(None).ptrace(16, os.getppid(), 0, 0) == 0",
    "the environment": "assert os.environ or os.environb",
    "another root": "os.chroot('/tmp')",
    "user root": "os.setuid(0); assert os.getuid() == 0 and open('/etc/shadow')",
    "passwords": "open('/etc/passwd').read()",
    "homes": "assert any(os.path.isfile(os.path.join(h, n)) for h in ('/root', '/home') "
    "for n in os.listdir(h))",
    "this test": "open({file!r}).read()",
    "processes": "assert len(os.listdir('/proc')) > 0",
    "its own memory": "open('/proc/self/mem', 'rb')",
    "a file at the root": "open('/escaped', 'w')",
    "a file in Python": "open(os.__file__, 'a')",
    "a file in /var/tmp": "open('/var/tmp/escaped', 'w')",
    "a file in shared memory": "open('/dev/shm/escaped', 'w')",
    "shared memory": "import ctypes; assert ctypes.CDLL(None).shmget(7, 4096, 0o1666) >= 0",
    "a large file": "open('/tmp/x', 'wb').write(bytes(2**21)); assert os.path.getsize('/tmp/x') > 2**20",
    "many files": "for n in range(9999): open('/tmp/%d' % n, 'w')",
    "descriptors": "assert [d for d in range(4, 4000) if os.path.exists('/dev/fd/%d' % d) or os.fstat(d)]",
    "higher limits": "import resource; resource.setrlimit(resource.RLIMIT_CPU, (99, 99))",
    "limits of others": "import resource; resource.prlimit(1, resource.RLIMIT_CPU, (1, 1))",
    "a signal to others": "os.kill(os.getppid() or 1, 0)",
    "a bell": "import fcntl; fcntl.ioctl(0, 0x5412, b'x')",
    "io_uring": "import ctypes; assert ctypes.CDLL(None).syscall(425, 1, bytearray(120)) >= 0",
    "bpf": "import ctypes; assert ctypes.CDLL(None).syscall(321, 0, 0, 0) >= 0",
    "keys": "import ctypes; assert ctypes.CDLL(None).syscall(250, 0, -3, 1) >= 0",
    "memory files": "os.memfd_create('x')",
    "what another left": "assert os.listdir('/tmp')",
    "a signal by a pipe": "import fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, 8, os.getppid() or 1)",
    "a signal of another number": "import fcntl\nr, w = os.pipe()\nfcntl.fcntl(r, 10, 9)",
    "a notice of changes": "import fcntl\nfcntl.fcntl(os.open('/usr/lib', 0), 1026, 1)",
    "a mode": "os.chmod({mine!r}, 0o777)",
    "a mode of a folder": "os.chmod(os.path.dirname({mine!r}), 0)",
    "a time": "os.utime({mine!r}, (0, 0))",
    "an owner": "os.chown({mine!r}, os.getuid(), os.getgid())",
    "an attribute": "os.setxattr({mine!r}, 'user.x', b'1')",
    "emptied by name": "os.truncate({mine!r}, 0)",
    "emptied as it is read": "os.open({mine!r}, os.O_RDONLY | os.O_TRUNC)",
    "emptied in Python": "os.open(os.__file__, os.O_RDONLY | os.O_TRUNC)",
    "renamed": "os.rename({mine!r}, {mine!r} + '1')",
    "removed": "os.remove({mine!r})",
    "linked": "os.link({mine!r}, '/tmp/mine')",
    "a link out": "os.symlink(os.path.dirname({mine!r}), '/tmp/out'); os.listdir('/tmp/out')",
    "a link beside": "os.symlink('/', {mine!r} + '1')",
    "a pipe beside": "os.mkfifo({mine!r} + '1')",
    "a folder beside": "os.mkdir({mine!r} + '1')",
    "compiled Python": "import py_compile, colorsys; py_compile.compile(colorsys.__file__, doraise=True)",
    "a larger file than there is room for": "os.posix_fallocate(os.open('/tmp/y', 66, 0o600), 0, 2**40)",
    "a terminal": "os.open('/dev/ptmx', os.O_RDWR)",
    "the terminal": "os.open('/dev/tty', os.O_RDWR)",
    "an abstract socket": "import socket; socket.socket(socket.AF_UNIX).bind('\\0x')",
    "a raw socket": "import socket; socket.socket(socket.AF_PACKET, socket.SOCK_RAW)",
    "netlink": "import socket; socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
    "priority": "os.setpriority(os.PRIO_USER, 0, 19)",
    "a scheduler": "os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))",
    "processors": "os.sched_setaffinity(0, {{0}})",
    "a group": "os.setpgid(0, 0)",
    "a session": "os.setsid()",
    "a 32-bit call": "import ctypes, mmap\nm = mmap.mmap(-1, 4096, prot=7)\n"
    "m.write(bytes.fromhex('b814000000cd80c3'))\n"
    "f = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(m)))\nassert f() > 0",
    **{
        name: f"import ctypes; assert ctypes.CDLL(None).syscall({arguments}) >= 0"
        for name, arguments in {
            "a call of the other kind": "0x40000000 + 39",
            "semaphores": "64, 7, 1, 0o1666",
            "messages": "68, 7, 0o1666",
            "a message queue": "240, b'x', 66, 0o600, 0",
            "the memory of others": "310, os.getppid() or 1, 0, 0, 0, 0, 0",
            "a handle on a process": "434, os.getppid() or 1, 0",
            "a watch on files": "294, 0",
            "a watch on all files": "300, 0, 0",
            "its own page faults": "323, 1",
            "counters": "298, bytes(128), 0, -1, -1, 0",
            "a file by handle": "304, -100, bytes(16), 0",
            "a filter": "317, 1, 0, 0",
            "a personality": "135, 0x0040000",
            "a file to execute": "322, 0, b'', 0, 0, 0x1000",
            "the log of the kernel": "103, 10, 0, 0",
            "another root by number": "155, b'/', b'/'",
            "the clock": "227, 0, bytes(16)",
            "no dump": "157, 4, 1, 0, 0, 0",
            "a parent's death": "157, 1, 9, 0, 0, 0",
            "capabilities": "126, bytes(8), bytes(24)",
            "a joined namespace": "308, 0, 0",
            "pages moved": "278, 0, 0, 0, 0",
            "a landlock of its own": "444, 0, 0, 1",
            "memory that is secret": "447, 0",
        }.items()
    },
}
"""Each of them raises or fails its assertion where the walls hold."""


def tried(walls: str) -> dict[str, object]:
    """What came of all of them, behind these walls."""
    try:
        cell = Cell([walls])
    except NoWallsError as error:
        return {"refused": str(error)}
    started = time.monotonic()
    first = descendants(os.getpid())
    mine = os.path.join(tempfile.mkdtemp(), "mine")
    with open(mine, "w") as file:
        file.write("mine")
    was = seen(mine)
    forged = {name: decided(cell, program) for name, program in FORGERIES.items()}
    done = {name: harmed(cell, name, mine) for name in HARM}
    right = decided(cell, RIGHT)
    left = sorted(set(descendants(os.getpid())) - set(first))
    cell.close()
    return {
        "forged": forged,
        "harm": done,
        "right": right,
        "left": left,
        "changed": [] if seen(mine) == was else [was, seen(mine)],
        "after": descendants(os.getpid()),
        "seconds": time.monotonic() - started,
    }


def decided(cell: Cell, program: str) -> str:
    """The judge's word, or how a run ended without one."""
    try:
        ran = cell.judged(program, JOB, LIMITS)
    except CellError as error:
        return f"the cell failed: {error}"
    return str(json.loads(ran.output)[0]) if ran.output else f"late={ran.late}"


def seen(mine: str) -> list[object]:
    """All that could be changed about a file of the user's."""
    folder = os.path.dirname(mine)
    with open(mine) as file:
        about = os.stat(mine)
        return [
            about.st_mode,
            about.st_mtime,
            file.read(),
            os.stat(folder).st_mode,
            os.listdir(folder),
        ]


def harmed(cell: Cell, name: str, mine: str) -> str:
    """What a program printed, which is nothing where it was held back."""
    attempt = HARM[name]
    if "{file" in attempt or "{mine" in attempt or "{{" in attempt:
        attempt = attempt.format(file=os.path.abspath(__file__), mine=mine)
    ran = cell.run(f"import os\n{attempt}\nprint('did it')", LIMITS)
    return ran.output.decode() + (
        f"status {ran.ended[0].status}" if not ran.ended[0].status else ""
    )


if __name__ == "__main__":
    print(json.dumps(tried(sys.argv[1])))

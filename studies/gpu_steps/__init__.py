"""The steps of `make test-gpu`, a file each: `run(quick)` prints what it found.

A step raises `common.Skip` with what the machine lacks, and AssertionError where a promise does
not hold. It runs in a process of its own, so that nothing of it is left for the next.
"""

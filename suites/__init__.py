"""The claims, a folder per question; from the wheel: `pytest --pyargs rlvr_gate_suites`."""

"""Load the plugin from this checkout when it is not installed."""

pytest_plugins = ["rlvr_gate.plugin"]

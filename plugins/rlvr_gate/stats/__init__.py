"""The pure statistical core: arrays in, records out; no framework, no files, no clock."""

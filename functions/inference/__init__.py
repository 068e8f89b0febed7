"""Pure prediction: check rows against a signature, run an engine. No I/O, no cloud, no store."""

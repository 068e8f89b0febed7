"""How good a pipeline is on rows it has not seen, with intervals. It fits and draws nothing."""

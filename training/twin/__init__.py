"""A fitted pipeline becomes an ONNX graph that gives the same answers. It publishes nothing and compares nothing."""

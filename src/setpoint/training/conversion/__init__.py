"""A native model becomes an ONNX graph that answers the same, or the reason why it does not.

Belongs here: what each estimator's graph is (one family a file), the graph's parts, parity with the native model. Never
here: a fit, a measurement of quality, how a gateway runs the graph.
"""

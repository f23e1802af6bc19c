"""Fit and measure one candidate: plain steps from a table and a recipe to a bundle and its evidence.

Belongs here: preparing columns, fitting, converting to ONNX with a parity check, answers on the test rows, baselines,
what-ifs, latency, importance, the bundle's files. It *measures* and never judges.
Never here: the registry, gates, a wall clock, unseeded chance, or a process of its own (that is an adapter's work).
"""

"""Measurements and contract in, verdicts out: whether a candidate may ask to be released.

Belongs here: one gate a file, each a pure function of its rule and the evidence, and the dict that names them all.
Never here: fitting, scoring, tables, files, the wall clock, or chance without a seed.
"""

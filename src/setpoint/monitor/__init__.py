"""Windows of answers in, signals out: drift, data faults, performance, errors and latency, each with a verdict.

Belongs here: one detector a file, each a pure function of the contract, a version's reference profile, and what that
version answered. Never here: reading logs or tables, starting a retrain, the wall clock, or chance.
"""

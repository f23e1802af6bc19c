"""Adapters: one outside system a file, each behind a port.

Belongs here: SQL, MLflow, Git, files, processes, and the translation of their errors into ours. Never here: a decision,
a rule of the contract, or a foreign type in a public signature.
"""

"""The loop: observe, decide, act, record; one safe step at a time, safe to repeat, safe to die between any two.

Belongs here: `reconcile.py` (the loop on one screen), what it sees (`observe.py`), what it decides (`decide.py`, pure),
what it does (one file a concern), the commands and queries behind every door. Never here: SQL, HTTP, MLflow, a clock of
its own.
"""

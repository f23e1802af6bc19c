"""One module builds one process: it names the adapters, hands them to the rooms, and starts.

Belongs here: construction in plain sight. Never here: logic, a decision, a computation.
"""

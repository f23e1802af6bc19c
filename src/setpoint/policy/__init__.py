"""What to do about it: signals, contract and history in, one action out.

Belongs here: conditions over signals, triggers that fire on a change of state, schedules, cool-downs and budgets, and
what is due. Never here: measuring (that is `monitor`), doing (that is `control`), the wall clock, storage.
"""

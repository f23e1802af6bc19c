"""Tables against the contract: typing, checking, splitting, describing, and drafting a contract from a table.

Belongs here: functions of a table and a contract, which give typed tables, validation reports, parts, profiles,
snapshots, or a drafted contract. Never here: opening a source or a file, the clock, unseeded chance, models, or a
decision about what follows from a report.
"""

"""Many rows at once, answered to the bit as gateways answer requests.

Here belongs: cells to checked columns, columns to answers, and the function that engines such as Spark run. The rules,
the models and the meaning of their numbers are the gateway's own. Never: opening files, state or the log (`wiring`).
"""

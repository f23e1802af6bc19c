"""Traffic of a contract's shape, and what came back.

Belongs here: rows made up from what a gateway says of its inputs, sending at a steady rate or back to back, counts and
quantiles, the judgement over them. Never here: HTTP (the client's), files, printing, the machine's clock.
"""

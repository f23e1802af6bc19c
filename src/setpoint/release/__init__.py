"""How one candidate gets to production, or does not: which request goes to which version, and when shares move.

Belongs here: the state machine of a release, its guardrails, the watch after promotion, and the assignment of traffic,
all as pure functions over counts. Never here: sockets, sleep, the wall clock, the log, or anything heavy in
`assignment`, which gateways import on every start.
"""

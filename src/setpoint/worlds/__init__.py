"""Worlds other than production: the replay over history, and the demo's business. They drive control through ports.

Belongs here: the clock, traffic and late labels of a world, and what is made of its decisions. Never here: a decision,
an outside system, a statistic.
"""

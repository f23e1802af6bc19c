"""Serving: requests per second and latency of the gateway, of a floor with nothing on, and of other servers.

Belongs here: the load, the servers that are loaded, the table, the goals. Never here: anything that the product needs.
"""

"""Versions in memory: loaded, verified, batched, and what their numbers mean. Never a request or a socket."""

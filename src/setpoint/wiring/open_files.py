"""How many files a process may have open: each connection is one."""

import sys

if sys.platform != "win32":
    import resource

_OWN = 256  # files that are no connections: the log, bundles, what libraries open


def room_for(connections: int) -> int:
    """Have room for so many connections, as far as the system allows, and return how many there is room for."""
    if sys.platform == "win32":
        return connections
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = connections + _OWN
    if soft != resource.RLIM_INFINITY and soft < wanted:
        soft = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    return connections if soft == resource.RLIM_INFINITY else max(1, min(connections, soft - _OWN))

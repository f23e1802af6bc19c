"""SIGHUP: the terminal of a process is gone. Left alone it ends a process on the spot, whatever it has in hand."""

import signal


def hang_up() -> tuple[signal.Signals, ...]:
    """Return SIGHUP where it ends processes; nothing under `nohup`, which has it passed over, and on Windows."""
    number = getattr(signal, "SIGHUP", None)
    if number is None or signal.getsignal(number) is signal.SIG_IGN:
        return ()
    return (number,)

"""A course of the loop through a world, and power cuts between any two of its calls."""

from dataclasses import replace

from setpoint.control.reconcile import settle

START = 400
PORTS = ("journal", "registry", "jobs", "tables", "bundles", "deployments", "traffic", "scorer")


class PowerCutError(Exception):
    """The process died here."""


class Wire:
    """Passes calls on to a port, and cuts the power before or after the n-th of all calls."""

    def __init__(self, port, cut):
        self._port = port
        self._cut = cut

    def __getattr__(self, name):
        found = getattr(self._port, name)
        if not callable(found):
            return found

        def call(*given, **named):
            self._cut.before()
            answer = found(*given, **named)
            self._cut.after()
            return answer

        return call


class Cut:
    """Counts instants before and after calls; dies once, at one of them."""

    def __init__(self, at=None):
        self.at = at
        self.seen = 0

    def before(self):
        self.seen += 1
        if self.seen == self.at:
            raise PowerCutError

    after = before


def wired(world, cut):
    return replace(world, **{name: Wire(getattr(world, name), cut) for name in PORTS})


def course(play, *, until=700, cut=None):
    """Answer rows batch by batch; after a power cut the loop just begins again."""
    world = play.world if cut is None else wired(play.world, cut)
    for start in range(START, until, 50):
        play.go_to(start)
        while True:
            try:
                settle(world, play.contract)
                break
            except PowerCutError:
                continue
        play.answer(start, start + 50)

"""How much a notebook computes: one environment variable, `CGAN_BUDGET`, read once.

smoke   a few steps on a small slice, for tests; a labelled stand-in where the real data are missing
demo    the default: live training of at most two minutes on two cores, then the shipped run
full    the whole experiment again, into a new folder of runs/; shipped results are never overwritten
"""

import os

from .errors import CganError, unknown

BUDGETS = ("smoke", "demo", "full")


class Budget:
    """`Budget().choose(smoke=320, demo=40_000, full=None)` is the value for the budget in force."""

    def __init__(self, name=None):
        self.name = name or os.environ.get("CGAN_BUDGET", "demo")
        if self.name not in BUDGETS:
            raise CganError(unknown("CGAN_BUDGET", self.name, BUDGETS))

    def choose(self, *, smoke, demo, full):
        return {"smoke": smoke, "demo": demo, "full": full}[self.name]

    @property
    def stand_in(self):
        """For `datasets.load`: only tests may fall back on a stand-in."""
        return "if_missing" if self.name == "smoke" else False

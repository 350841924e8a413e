"""Random numbers by name: which functions draw from the one generator of the process."""

from __future__ import annotations

_OF_GLOBAL_STATE = {
    "random": frozenset(
        {"betavariate", "choice", "choices", "expovariate", "gammavariate", "gauss", "getrandbits",
         "lognormvariate", "normalvariate", "paretovariate", "randbytes", "randint", "random",
         "randrange", "sample", "shuffle", "triangular", "uniform", "vonmisesvariate",
         "weibullvariate"}
    ),
    "torch": frozenset(
        {"bernoulli", "multinomial", "normal", "poisson", "rand", "rand_like", "randint", "randn",
         "randn_like", "randperm"}
    ),
}  # fmt: skip
"""Functions that draw from the one generator of the process; of `numpy.random`, all but these:"""
_OF_THEIR_OWN = frozenset(
    {"BitGenerator", "Generator", "MT19937", "PCG64", "PCG64DXSM", "Philox", "RandomState", "SFC64",
     "SeedSequence", "bit_generator", "default_rng", "get_state", "seed", "set_state"}
)  # fmt: skip
MAKE_GENERATORS = {"numpy.random.default_rng", "numpy.random.RandomState", "random.Random"}
"""What makes a generator of its own, seeded by its arguments."""


def drawn(installed: set[str]) -> dict[str, list[str]]:
    """Library -> the functions that draw from its one generator."""
    found: dict[str, list[str]] = {}
    for name in sorted(installed):
        library, _, function = name.partition(".")
        if function in _OF_GLOBAL_STATE.get(library, ()):
            found.setdefault(library, []).append(name)
        elif name.startswith("numpy.random.") and name.split(".")[2] not in _OF_THEIR_OWN:
            found.setdefault("numpy", []).append(name)
    return found

"""An archive that does not exist: so many bags, objects and bytes, in stated storage classes."""

from __future__ import annotations

from collections.abc import Mapping
from random import Random

from backfill_client.simulating.inventory import Part, cut

_SPREAD_OF_OBJECTS, _SPREAD_OF_SIZES = 1.2, 0.9
"""Of the logarithms: most bags are small, few are large, as archives have it."""


def make(*, bags: int, objects: int, octets: int, mix: Mapping[str, float], seed: int) -> list[Part]:
    """Parts that sum to `objects` and `octets`. `mix` has weights by class; each bag is of one class."""
    random = Random(seed)
    counts = _spread(objects, [random.lognormvariate(0, _SPREAD_OF_OBJECTS) for _ in range(bags)])
    sizes = _spread(octets, [many * random.lognormvariate(0, _SPREAD_OF_SIZES) for many in counts])
    classes = random.choices(list(mix), list(mix.values()), k=bags)
    return [
        part
        for bag, (name, many, size) in enumerate(zip(classes, counts, sizes, strict=True))
        if many
        for part in cut(bag, name, many, size)
    ]


def _spread(total: int, weights: list[float]) -> list[int]:
    """Whole numbers as the weights are, that sum to `total`."""
    whole, given, passed, result = sum(weights), 0, 0.0, []
    for weight in weights:
        passed += weight
        upto = round(total * passed / whole)
        result.append(upto - given)
        given = upto
    return result

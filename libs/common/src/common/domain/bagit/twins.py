"""Names that some systems cannot hold side by side: they differ by letter case or Unicode normalisation only."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from unicodedata import normalize

from common.domain.problem import Problem, bag_problem, shown

_FORMS_KEPT = 1000


def fold(path: str) -> int:
    """A 64-bit number that twins share. Others may share it by chance, and it differs from process to process."""
    return hash(path.lower()) if path.isascii() else hash(_folded(path))


def same_form(one: str, two: str) -> bool:
    """True where the names differ at most by normalisation form."""
    return one == two or normalize("NFC", one) == normalize("NFC", two)


def twin_problems(pairs: Iterable[tuple[int, str]]) -> Iterator[Problem]:
    """`pairs` of fold and path, by fold: those that have twins and those that only share a fold by chance."""
    current: int | None = None
    forms: dict[str, str] = {}
    for number, path in pairs:
        if number != current:
            current, forms = number, {}
        yield from _against(forms, path)
        if len(forms) < _FORMS_KEPT:
            forms.setdefault(normalize("NFC", path), path)


def _against(forms: dict[str, str], path: str) -> Iterator[Problem]:
    """`forms`: the names before `path` with the same fold, by their normalised form."""
    twin = forms.get(normalize("NFC", path))
    if twin is not None:
        yield bag_problem("bag_normalisation_twins", f"the bag also has {twin!a}", path=path)
        return
    twin = next(iter(forms.values()), None)
    if twin is not None and _folded(twin) == _folded(path):
        yield bag_problem("bag_case_twins", f"the bag also has {shown(twin)}", path=path)


def _folded(path: str) -> str:
    return normalize("NFC", normalize("NFC", path).casefold())

"""Find which units have a villagers' committee (村委会) and which a residents' committee (居委会)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

VILLAGE, COMMUNITY = "village", "community"

_BY_NAME = ((re.compile("村民?委(员会|会)"), VILLAGE), (re.compile("居民?委(员会|会)|社区$"), COMMUNITY))
_CODE = re.compile(r"\d{9}(\d{3})")


def committees(codes: Iterable[str], names: Iterable[str]) -> pd.Series[str]:
    """Return the kind of committee of every unit: ``village``, ``community``, or empty where unknown.

    1. By its listed name: 村委会 or 村民委员会; 居委会, 居民委员会, or one that ends in 社区.
    2. By the last three of the twelve digits of its code: 001 to 199 a community, 200 to 399 a village,
       400 to 499 what is like a community (an industrial zone).

    Parameters
    ----------
    codes : (unit,) statistical codes of twelve digits; others are unknown unless the name is known
    names : (unit,) listed names, may be empty

    Returns
    -------
    kind : str, on the codes

    References
    ----------
    The statistical bureau's codes of units below the town, as its published lists use them: 居委会 from 001,
    村委会 from 200.

    >>> committees(["330424101001", "330424101203", "x"], ["", "", "百可社区居委会"]).tolist()
    ['community', 'village', 'community']
    """
    pairs = [(str(code), str(name)) for code, name in zip(codes, names, strict=True)]
    kinds = [_by_name(name) or _by_code(code) for code, name in pairs]
    return pd.Series(kinds, index=pd.Index([code for code, _ in pairs], name="code"), dtype="str")


def _by_name(name: str) -> str:
    return next((kind for pattern, kind in _BY_NAME if pattern.search(name)), "")


def _by_code(code: str) -> str:
    match = _CODE.fullmatch(code)
    number = int(match[1]) if match else 0
    return COMMUNITY if 1 <= number < 200 or 400 <= number < 500 else VILLAGE if 200 <= number < 400 else ""

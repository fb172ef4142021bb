"""Seal a small page: only its own script and style run, and its data cannot end the element they stand in.

Owns what keeps the text of others from becoming code on a page of one file. The map page has a policy of its
own, as Leaflet needs more.
"""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any


def page_policy(script: str, style: str) -> str:
    """Return a content security policy that allows one script and one style, and nothing else.

    Parameters
    ----------
    script, style : their texts, exactly as they stand in the page

    >>> page_policy("", "").startswith("default-src 'none'; script-src 'sha256-47DEQpj8HBSa")
    True
    """
    own, dress = (
        "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        for text in (script, style)
    )
    return f"default-src 'none'; script-src '{own}'; style-src '{dress}'; base-uri 'none'; form-action 'none'"


def data_text(data: Any) -> str:
    """Return data as JSON that cannot end the script element it stands in.

    Raises
    ------
    ValueError
        When a number is not finite, which JSON does not have.

    >>> "<" in data_text({"name": "</script>"})
    False
    """
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")

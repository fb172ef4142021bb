"""Everyone sees the page's colours as different: under colour blindness, in grey, and as text."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pytest

from lifecircle.atlas._script import asset
from lifecircle.page_data import CELL_COLOURS, NO_RATE_COLOUR, RATE_COLOURS

# Machado, Oliveira and Fernandes 2009, severity 1.0, on linear RGB; no deficiency first.
VISIONS = {
    "full": np.eye(3),
    "protan": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deutan": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritan": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
WHITE = np.array([0.95047, 1.0, 1.08883])
XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)


def linear(colour: str) -> np.ndarray:
    """Give a colour's linear red, green and blue."""
    part = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(part <= 0.04045, part / 12.92, ((part + 0.055) / 1.055) ** 2.4)


def lab(colour: str, vision: str = "full") -> np.ndarray:
    """Give a colour in CIE Lab as a kind of eye sees it."""
    xyz = XYZ @ np.clip(np.asarray(VISIONS[vision]) @ linear(colour), 0, 1) / WHITE
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def apart(one: np.ndarray, other: np.ndarray) -> float:
    """Give the CIEDE2000 difference of two colours."""
    (l1, a1, b1), (l2, a2, b2) = one, other
    mean_c7 = ((np.hypot(a1, b1) + np.hypot(a2, b2)) / 2) ** 7
    g = 1.5 - 0.5 * np.sqrt(mean_c7 / (mean_c7 + 25**7))
    c1, c2 = np.hypot(a1 * g, b1), np.hypot(a2 * g, b2)
    h1, h2 = (np.degrees(np.arctan2(b, a * g)) % 360 for a, b in ((a1, b1), (a2, b2)))
    grey = c1 * c2 == 0
    dh = 0.0 if grey else (h2 - h1 + 180) % 360 - 180
    if not grey and abs(h2 - h1) == 180:
        dh = h2 - h1
    big_dh = 2 * np.sqrt(c1 * c2) * np.sin(np.radians(dh / 2))
    mean_l, mean_c = (l1 + l2) / 2, (c1 + c2) / 2
    mean_h = h1 + h2 if grey else (h1 + dh / 2) % 360
    t = (
        1
        - 0.17 * np.cos(np.radians(mean_h - 30))
        + 0.24 * np.cos(np.radians(2 * mean_h))
        + 0.32 * np.cos(np.radians(3 * mean_h + 6))
        - 0.20 * np.cos(np.radians(4 * mean_h - 63))
    )
    s_l = 1 + 0.015 * (mean_l - 50) ** 2 / np.sqrt(20 + (mean_l - 50) ** 2)
    s_c, s_h = 1 + 0.045 * mean_c, 1 + 0.015 * mean_c * t
    r_c = 2 * np.sqrt(mean_c**7 / (mean_c**7 + 25**7))
    r_t = -np.sin(np.radians(60 * np.exp(-(((mean_h - 275) / 25) ** 2)))) * r_c
    parts = (l2 - l1) / s_l, (c2 - c1) / s_c, big_dh / s_h
    return float(np.sqrt(sum(part**2 for part in parts) + r_t * parts[1] * parts[2]))


@pytest.mark.parametrize(
    ("one", "other", "difference"),
    [  # published pairs of Sharma, Wu and Dalal 2005
        ((50.0, 2.6772, -79.7751), (50.0, 0.0, -82.7485), 2.0425),
        ((50.0, -1.3802, -84.2814), (50.0, 0.0, -82.7485), 1.0),
        ((50.0, 2.5, 0.0), (73.0, 25.0, -18.0), 27.1492),
        ((60.2574, -34.0099, 36.2677), (60.4626, -34.1751, 39.4387), 1.2644),
        ((22.7233, 20.0904, -46.6940), (23.0331, 14.9730, -42.5619), 2.0373),
        ((2.0776, 0.0795, -1.1350), (0.9033, -0.0636, -0.5514), 0.9082),
    ],
)
def test_the_difference_is_that_of_the_standard(one, other, difference):
    assert apart(np.array(one), np.array(other)) == pytest.approx(difference, abs=1e-4)


SHOWN_TOGETHER = {
    "reach": ("covered", "beyond_0", "beyond_1", "beyond_2", "disconnected", "uncounted", "newly"),
    "villages": ("covered", "beyond_1", "uncounted"),
    "differ": ("covered", "over", "under", "uncounted"),
    "changes": ("gained", "lost", "kept", "still", "uncounted"),
}


@pytest.mark.parametrize("vision", VISIONS)
@pytest.mark.parametrize("view", SHOWN_TOGETHER)
def test_classes_differ_for_every_eye(view, vision):
    for one, other in itertools.combinations(SHOWN_TOGETHER[view], 2):
        difference = apart(lab(CELL_COLOURS[one], vision), lab(CELL_COLOURS[other], vision))
        assert difference >= 10, (one, other, difference)


@pytest.mark.parametrize("vision", VISIONS)
def test_gaps_stand_out_from_every_ground(vision):
    for ground in (*RATE_COLOURS, NO_RATE_COLOUR, "#edf0f2"):
        for name in ("beyond_0", "beyond_1", "beyond_2", "disconnected", "over", "under", "newly"):
            assert apart(lab(CELL_COLOURS[name], vision), lab(ground, vision)) >= 12, (name, ground)
        assert apart(lab(CELL_COLOURS["covered"], vision), lab(ground, vision)) >= 12, ground


def test_covered_is_pale_and_gaps_grow_darker():
    lightness = [lab(CELL_COLOURS[name])[0] for name in ("covered", "beyond_0", "beyond_1", "beyond_2")]
    assert lightness[0] > 75
    assert all(low - high >= 15 for low, high in itertools.pairwise(lightness[1:]))
    rates = [lab(colour)[0] for colour in RATE_COLOURS]
    assert all(high - low >= 5 for low, high in itertools.pairwise(rates))


def contrast(one: str, other: str) -> float:
    """Give the WCAG 2 contrast of two colours."""
    first, second = sorted((float(XYZ[1] @ linear(colour)) for colour in (one, other)), reverse=True)
    return (first + 0.05) / (second + 0.05)


def test_text_has_contrast():
    style = asset("page.css")
    names = dict(re.findall(r"--(\w+): (#[0-9a-f]{6});", style))
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    for ground in ("#ffffff", "#f4f6f8", "#eef4fc", "#e3edfb"):
        for ink in (
            names["ink"],
            names["quiet"],
            names["accent"],
            "#6b7683" if ground == "#ffffff" else names["ink"],
        ):
            assert contrast(ink, ground) >= 4.5, (ink, ground)
    for ink, ground in (
        ("#a3123a", "#ffffff"),
        ("#5c4400", "#fff3c4"),
        ("#6e2400", "#fbdcc4"),
        ("#0a3d5c", "#d3e7f3"),
    ):
        assert ink in style
        assert contrast(ink, ground) >= 4.5

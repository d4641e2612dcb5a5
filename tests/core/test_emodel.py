"""The E-model against what ITU-T G.107 prints, and what must hold for any input."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from thirdring_device.core.emodel import mos_of_rating, mos_of_stream, rating


def test_defaults_give_the_rating_and_score_that_g_107_names() -> None:
    assert rating("PCMA", 0.0, 0.0) == 93.2
    assert mos_of_rating(93.2) == pytest.approx(4.41, abs=0.005)


@pytest.mark.parametrize(("r", "mos"), [(90, 4.34), (80, 4.03), (70, 3.60), (60, 3.10), (50, 2.58)])
def test_scores_of_g_107_table_b_1(r: float, mos: float) -> None:
    """The table is rounded up: 4.024 stands there as 4.03."""
    assert math.ceil(round(mos_of_rating(r) * 100, 6)) / 100 == mos


def test_loss_costs_what_the_formula_says() -> None:
    # Ie,eff = 95 * 1 / (1 + 25.1) by G.107 (7-29) with BurstR = 1.
    assert rating("PCMU", 50.0, 1.0) == pytest.approx(93.2 - 95 / 26.1)


def test_delay_costs_nothing_up_to_100_ms() -> None:
    assert rating("PCMA", 100.0, 0.0) == 93.2
    late = rating("PCMA", 400.0, 0.0)
    assert late is not None
    assert late == pytest.approx(93.2 - 24.07, abs=0.05)


def test_codec_without_published_values_is_not_rated() -> None:
    assert rating("opus", 0.0, 0.0) is None
    assert mos_of_stream("G722", 0.0, 0.0) is None


@given(st.floats(0, 5000), st.floats(0, 5000), st.floats(0, 100), st.floats(0, 100))
def test_more_delay_or_loss_is_never_better(a_ms: float, b_ms: float, a: float, b: float) -> None:
    better = mos_of_stream("PCMA", min(a_ms, b_ms), min(a, b))
    worse = mos_of_stream("PCMA", max(a_ms, b_ms), max(a, b))
    assert better is not None
    assert worse is not None
    assert 1.0 <= worse <= better <= 4.5

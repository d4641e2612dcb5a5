import numpy as np
import pytest

from tests.dsp.tone_signals import DTMF_KEYS, Samples, dtmf_string, to_int16
from thirdring_dsp import DspEvent, DtmfDetector


def digits(events: list[DspEvent]) -> str:
    return "".join(event.value for event in events if event.kind == "dtmf")


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(20)


def heard(samples: Samples, rate_hz: int = 8000) -> str:
    return digits(DtmfDetector(rate_hz).update(samples))


@pytest.mark.parametrize("rate_hz", [8000, 16000, 48000])
def test_all_keys_are_heard_at_every_rate(rate_hz: int, rng: np.random.Generator) -> None:
    assert heard(to_int16(dtmf_string(DTMF_KEYS, rate_hz=rate_hz, rng=rng)), rate_hz) == DTMF_KEYS


def test_unknown_rate_is_refused() -> None:
    with pytest.raises(ValueError, match="sample_rate_hz"):
        DtmfDetector(11025)

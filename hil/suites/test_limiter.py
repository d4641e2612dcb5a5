"""The ear is protected: whatever the customer's side sends, no sample is above the limit."""

import numpy as np
import pytest

from thirdring.appliance import Appliance
from thirdring_hil.calls import levels_at, talking
from thirdring_hil.codecs import PCMA
from thirdring_hil.ear import EAR_RATE_HZ, Ear
from thirdring_hil.measurements import Measure
from thirdring_hil.signals import onset, peak_dbov, silence, tone
from thirdring_hil.target import Target

LOUDEST_DBOV = -3.02
"""A sine of full scale, the loudest a line can carry: a customer who shouts, a fax machine, a fault."""
LOUD_S = 1.0
ROUNDING_DB = 0.001
"""Half a step of 16 bits at the limit."""
LEAST_DB = -12.0
"""A limiter that fell silent would be safe and useless: what is too loud comes out near the limit."""


@pytest.mark.needs("sip", "headset", "shared_files")
def test_a_loud_customer_stays_below_the_limit_in_the_ear(
    target: Target, appliance: Appliance, ear: Ear, measure: Measure
) -> None:
    (limit,) = [view.value for view in appliance.settings() if view.name == "audio.ear_ceiling_dbov"]
    assert isinstance(limit, float)
    loud = [tone(hz, LOUDEST_DBOV, LOUD_S / 4, PCMA.rate_hz) for hz in (440.0, 1020.0, 2100.0, 3100.0)]
    with talking(target, appliance) as talk:
        settled = appliance.wait_for(lambda record: levels_at(record, 0.5), 20.0, talk.before).event
        before_s = ear.heard_s
        talk.caller.speak(np.concatenate([*loud, silence(0.2, PCMA.rate_hz)]))
        end_s = getattr(settled, "end_s") + LOUD_S + 0.5  # noqa: B009 - levels have one
        appliance.wait_for(lambda record: levels_at(record, end_s), 20.0, talk.before)
        ear.wait_for_s(before_s + LOUD_S + 0.5)
    heard = ear.samples
    heard = heard[onset(heard, EAR_RATE_HZ) :]
    measure(
        "ear_peak",
        peak_dbov(heard),
        "dBov",
        limit + LEAST_DB,
        limit + ROUNDING_DB,
        "setting audio.ear_ceiling_dbov",
    )

"""The words of the demonstration call, spoken by espeak-ng, each party's turns placed in time."""

import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import soundfile

from thirdring.protocol.errors import error
from thirdring_device.adapters.resample import resample
from thirdring_dsp import SpeechLevelMeter

__all__ = ["Conversation", "make_conversation"]

RATE_HZ: Final = 16_000
TURN_PAUSE_S: Final = 0.6
AGENT_LEVEL_DBOV: Final = -36.0
"""Too quiet by 10 dB: something for the gain control to do."""
CUSTOMER_LEVEL_DBOV: Final = -24.0

TURNS: Final = {
    "zh": (
        ("agent", "您好，三声科技，我是小王，请问有什么可以帮您？"),
        ("customer", "你好，我的订单等了三天，还没有收到货。"),
        ("agent", "我马上为您查询。您的货今天下午送到。"),
        ("customer", "谢谢你，再见。"),
    ),
    "en": (
        ("agent", "Good morning, this is Wang at Third Ring. How may I help you?"),
        ("customer", "Hello, I have been waiting for my order for three days."),
        ("agent", "Let me look, please. Your order will arrive this afternoon."),
        ("customer", "Thank you, goodbye."),
    ),
}
VOICES: Final = {"zh": ("cmn-latn-pinyin", "cmn-latn-pinyin+f3"), "en": ("en-gb", "en-us+f3")}
"""``cmn`` of espeak-ng 1.51 speaks the letters and numbers of the pinyin."""
SPEED_WPM: Final = {"zh": 240, "en": 190}
"""Makes some five syllables per second: the agent keeps the norm."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """Two sound files that start together, one a party, and how long they last."""

    agent: Path
    customer: Path
    duration_s: float


def _say(voice: str, speed_wpm: int, text: str, level_dbov: float, path: Path) -> npt.NDArray[np.float64]:
    """Return ``text`` spoken at an active speech level, 16 kHz mono."""
    try:
        subprocess.run(
            ["espeak-ng", "-v", voice, "-s", str(speed_wpm), "-w", str(path), text],
            check=True,
            capture_output=True,
        )
    except (OSError, subprocess.CalledProcessError) as reason:
        raise error(4000, f"espeak-ng: {reason}") from reason
    data, rate_hz = soundfile.read(path, dtype="float64")
    speech: npt.NDArray[np.float64] = resample(data, rate_hz, RATE_HZ)
    speech = 0.5 * speech / max(1e-9, float(np.max(np.abs(speech))))
    meter = SpeechLevelMeter(RATE_HZ)
    meter.update(np.asarray(np.rint(speech * 32767), dtype=np.int16))
    gain: float = 10.0 ** ((level_dbov - meter.active_speech_level_dbov) / 20.0)
    return gain * speech


def make_conversation(folder: Path, language: str) -> Conversation:
    """Write both parties' sound files into ``folder``; raises ``MediaError`` 4000 without espeak-ng."""
    agent_voice, customer_voice = VOICES[language]
    tracks: dict[str, list[npt.NDArray[np.float64]]] = {"agent": [], "customer": []}
    scratch = folder / "turn.wav"
    for party, text in TURNS[language]:
        if party == "agent":
            speech = _say(agent_voice, SPEED_WPM[language], text, AGENT_LEVEL_DBOV, scratch)
        else:
            speech = _say(customer_voice, SPEED_WPM[language], text, CUSTOMER_LEVEL_DBOV, scratch)
        speech = np.concatenate((np.zeros(int(TURN_PAUSE_S * RATE_HZ)), speech))
        for name, track in tracks.items():
            track.append(speech if name == party else np.zeros(len(speech)))
    scratch.unlink()
    paths = {}
    for name, track in tracks.items():
        paths[name] = folder / f"{name}.wav"
        soundfile.write(paths[name], np.concatenate(track), RATE_HZ, "PCM_16")
    duration_s = sum(len(part) for part in tracks["agent"]) / RATE_HZ
    return Conversation(paths["agent"], paths["customer"], duration_s)

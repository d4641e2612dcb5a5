"""The sections ``[headset]``, ``[audio]`` and ``[recording]``."""

from dataclasses import dataclass

from thirdring_device.core.settings import setting

__all__ = ["AudioSettings", "HeadsetSettings", "RecordingSettings"]


@dataclass(frozen=True, slots=True)
class HeadsetSettings:
    """The headset."""

    device: str = setting(
        "simulated",
        "sound device: simulated, usb (the first USB headset), usb:VVVV:PPPP (USB id), or an ALSA name "
        "such as default or plughw:CARD=H",
    )
    ear_db: float = setting(
        0.0, "volume of the ear, behind the limiter", unit="dB", low=-40.0, high=0.0, live=True
    )
    sidetone_db: float = setting(
        -60.0,
        "how much of the microphone the agent hears; -60: none, most headsets have their own",
        unit="dB",
        low=-60.0,
        high=-6.0,
        live=True,
    )
    ring_device: str = setting(
        "headset", "where it rings: headset, none, or a second sound device, named like the first"
    )
    ring_dbov: float = setting(
        -26.0, "level of an ordinary ring", unit="dBov", low=-60.0, high=-10.0, live=True
    )
    earcon_dbov: float = setting(
        -34.0,
        "level of the short sound that goes with a prompt, in the agent's ear only; -60: none",
        unit="dBov",
        low=-60.0,
        high=-10.0,
        live=True,
    )
    comfort_noise_dbov: float = setting(
        -60.0,
        "noise that the customer hears while the headset is gone",
        unit="dBov",
        low=-72.0,
        high=-40.0,
        live=True,
    )
    ear_record: bool = setting(True, "simulator: write what the agent hears to ear.wav")
    buttons: str = setting(
        "auto",
        "buttons and lamps: hidraw (a USB headset's), simulator, off; auto: as the sound's device is",
        choices=("auto", "hidraw", "simulator", "off"),
    )
    button_device: str = setting(
        "", "hidraw: USB id of the headset, vvvv:pppp; empty: that of device, else the first one with buttons"
    )
    button_family: str = setting(
        "jabra-link-380", "simulator: whose headset it behaves like (docs/headset.md)"
    )
    redial_button: bool = setting(True, "let the redial button call the number that was dialled last")


@dataclass(frozen=True, slots=True)
class AudioSettings:
    """What is done to the agent's voice on its way out, and to the customer's on its way in."""

    agc: bool = setting(True, "automatic gain control in the mouth path")
    agc_target_dbov: float = setting(
        -26.0, "active speech level aimed at", unit="dBov", low=-40.0, high=-16.0
    )
    agc_range_db: float = setting(15.0, "largest gain up or down", unit="dB", low=0.0, high=30.0)
    noise_gate: bool = setting(True, "mouth path: turn the background down by 12 dB in pauses")
    mouth_ceiling_dbov: float = setting(-3.0, "limiter of the mouth path", unit="dBov", low=-20.0, high=0.0)
    ear_ceiling_dbov: float = setting(-6.0, "limiter of the ear path", unit="dBov", low=-40.0, high=0.0)


@dataclass(frozen=True, slots=True)
class RecordingSettings:
    """Recording of both directions into the folder recordings of the state folder."""

    enabled: bool = setting(
        False, "record each call (left agent, right customer); tell whom it concerns", live=True
    )
    format: str = setting(
        "wav",
        "wav: 16-bit PCM at 16 kHz, 230 MB an hour; opus: Opus in Ogg, by its bitrate",
        choices=("wav", "opus"),
        live=True,
    )
    opus_kbit_s: int = setting(
        64, "mean bitrate of Opus, both directions together", unit="kbit/s", low=24, high=256, live=True
    )
    encrypted: bool = setting(
        True, "seal recordings with the unit's key, the file recording.key of the state folder", live=True
    )
    announce: str = setting(
        "",
        "sound file that both sides hear after the answer, before recording begins, or beep; empty: none",
        live=True,
    )
    warning_tone: bool = setting(
        False, "both sides hear 1400 Hz for half a second every 15 s while the call is recorded", live=True
    )
    reserve_mb: int = setting(
        200,
        "room on the disk that recordings leave free; there they end",
        unit="MB",
        low=1,
        high=100000,
        live=True,
    )
    keep_days: int = setting(
        0, "recordings older than this are deleted; 0: kept for ever", unit="d", low=0, high=36500, live=True
    )
    max_gb: float = setting(
        0.0,
        "room for all recordings; beyond it the oldest are deleted; 0: no limit",
        unit="GB",
        low=0.0,
        high=100000.0,
        live=True,
    )
    when_full: str = setting(
        "stop",
        "when only the reserve is left: stop recording, or delete the oldest recordings first",
        choices=("stop", "delete_oldest"),
        live=True,
    )

"""The demonstration's caller: baresip, a SIP user agent of its own, with speech from a file."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import soundfile

from thirdring.protocol.errors import error
from thirdring_device.adapters.resample import resample

__all__ = ["calling"]

CONFIG: Final = """\
sip_listen 127.0.0.1:{sip_port}
module_path {modules}
module g711.so
module aufile.so
module account.so
module menu.so
audio_source aufile,{speech}
audio_channels 1
audio_srate 8000
rtp_ports {rtp_port}-{rtp_last}
"""
MODULES: Final = ("/usr/lib/baresip/modules", "/usr/lib/*/baresip/modules")


def _modules() -> Path:
    for pattern in MODULES:
        for folder in sorted(Path("/").glob(pattern.lstrip("/"))):
            return folder
    raise error(4000, "baresip is not installed")


@contextlib.contextmanager
def calling(
    folder: Path, number: str, speech: Path, to_port: int, sip_port: int
) -> Iterator[subprocess.Popen[bytes]]:
    """Call ``to_port`` on this machine as ``number``, speaking ``speech``; hang up on leaving.

    Yields the caller's process.
    """
    folder.mkdir(exist_ok=True)
    data, rate_hz = soundfile.read(speech, dtype="float64")
    narrow = folder / "speech.wav"
    soundfile.write(narrow, resample(data, rate_hz, 8000), 8000, "PCM_16")
    config = CONFIG.format(
        sip_port=sip_port, modules=_modules(), speech=narrow, rtp_port=sip_port + 2, rtp_last=sip_port + 40
    )
    (folder / "config").write_text(config, encoding="utf-8")
    account = f"<sip:{number}@127.0.0.1>;regint=0;audio_codecs=PCMA/8000/1\n"
    (folder / "accounts").write_text(account, encoding="utf-8")
    (folder / "contacts").write_text("", encoding="utf-8")
    log = (folder / "baresip.log").open("wb")
    with log:
        process = subprocess.Popen(
            ["baresip", "-f", str(folder), "-e", f"/dial sip:desk@127.0.0.1:{to_port}"],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for us
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

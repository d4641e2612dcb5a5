"""Streams that once broke a detector, as the fuzzer wrote them."""

import base64

from bench.fuzz_dsp import FUZZED, try_bytes

# Two lines of Japan's ringback drawn together until their level came out at +48 dBov.
RINGBACK_OF_JAPAN = (
    "/52dnZ2dnUZGQEZGRkZGRkZGRgEAYwABRob48/Pz8/Pz8/Pz8/Pz8/Ns8/Pz8yHz8/Pz8/Pz8/Pz8/////////9GRkZGIUZGRkb/"
    "////////////////////+/////////////////PzRkZGRkZGRkZGRkZGRkZGuEZGRkZGRkZGRkZGRkZGRkZGRkahoaGhoaGhoQA7"
    "AAAAAAAAAAkAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAkAEAAAAAAAAAAAAAAAAAACIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIi0SIiIiIiIiIi"
    "IiIiIiIiIiIiIiIiIiIiIiIiIvHx8/Pz8/Pz8/Px8fHx8fHxoaGqoaGhoaHx8fHx8fHx8fHxIiIiIiIiIiIiIiIiIiIiIiIiIiIi"
    "IiIiIiIiIiIiIiIiIiIiIiIiIiJNAAAAIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIiIi"
    "IiIi0Z09nZ0QnZ1QAJ2dnZ2dnZ2dnZ2dnZ0="
)


def test_no_tone_is_louder_than_the_signal() -> None:
    try_bytes(FUZZED["CallProgressDetector-JP"], base64.b64decode(RINGBACK_OF_JAPAN))


# A tone from the first sample on was noted in the frame before the first (seen by the checked build).
TONE_FROM_THE_START = "MkIKCgpCCgoKbQptCg=="


def test_tone_from_the_first_sample_stays_within_the_memory() -> None:
    try_bytes(FUZZED["CallProgressDetector"], base64.b64decode(TONE_FROM_THE_START))

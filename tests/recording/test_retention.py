"""What is deleted: by age, by room, oldest first, and never more than need be."""

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from thirdring_device.adapters.recording.retention import Kept, Limits, doomed, look

NOW_S = 1_800_000_000.0
DAY_S = 86_400.0

recordings = st.lists(
    st.builds(
        Kept,
        st.floats(NOW_S - 100 * DAY_S, NOW_S + 10 * DAY_S),
        st.uuids().map(lambda name: Path(f"{name}.sealed")),
        st.integers(0, 1000),
    ),
    max_size=12,
)
limits = st.builds(
    Limits, st.sampled_from([0.0, 10 * DAY_S, 50 * DAY_S]), st.integers(0, 5000), st.integers(0, 2000)
)


@given(found=recordings, limits=limits)
def test_the_oldest_go_and_no_more_than_need_be(found: list[Kept], limits: Limits) -> None:
    gone = doomed(found, limits, NOW_S)
    names = [kept for kept, _ in gone]
    assert names == sorted(found)[: len(gone)]
    left = sorted(found)[len(gone) :]
    left_bytes = sum(kept.size_bytes for kept in left)
    freed_bytes = sum(kept.size_bytes for kept in names)
    if left:
        assert not limits.most_bytes or left_bytes <= limits.most_bytes
        assert freed_bytes >= limits.short_bytes
        assert not limits.keep_s or NOW_S - left[0].finished_s <= limits.keep_s
    for i, (kept, reason) in enumerate(gone):
        before_bytes = left_bytes + sum(other.size_bytes for other in names[i:])
        freed_before = sum(other.size_bytes for other in names[:i])
        too_old = bool(limits.keep_s) and NOW_S - kept.finished_s > limits.keep_s
        too_many = bool(limits.most_bytes) and before_bytes > limits.most_bytes
        assert reason == ("age" if too_old else "space")
        assert too_old or too_many or freed_before < limits.short_bytes


def test_nothing_goes_without_a_limit_or_by_a_clock_set_back() -> None:
    found = [Kept(NOW_S - 1000 * DAY_S, Path("a.wav"), 10**12), Kept(NOW_S + DAY_S, Path("b.wav"), 1)]
    assert doomed(found, Limits(), NOW_S) == []
    assert doomed(found[1:], Limits(keep_s=1.0), NOW_S) == []


def test_a_file_that_is_gone_is_nothing(tmp_path: Path) -> None:
    assert look(tmp_path / "gone.wav") is None

"""The key figures of a simulated day of 1,000 calls equal those that SQL computes from the same journal."""

import random
import sqlite3
import zoneinfo
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from thirdring.protocol.events import (
    AgentStateRequested,
    CallAlerting,
    CallAnswered,
    CallEnded,
    CallIncoming,
    CallOutgoing,
    EngineStarted,
    EngineStopped,
    Event,
    HoldEnded,
    HoldStarted,
    Record,
    TransferProgress,
    Verdict,
)
from thirdring.protocol.figures import FORMULAS, FiguresReport, FiguresRow
from thirdring_device.adapters.store.journal import Journal
from thirdring_device.adapters.store.reader import JournalReader
from thirdring_device.adapters.store.schema import COUNTED_EVENTS
from thirdring_device.core.agent import Agent
from thirdring_device.core.agent_settings import AgentSettings
from thirdring_device.core.figures import figures, intervals
from thirdring_device.core.figures_facts import CALL_KINDS, collect
from thirdring_device.core.figures_settings import FiguresSettings
from thirdring_device.core.shifts import Shifts

ZONE = zoneinfo.ZoneInfo("Asia/Shanghai")
DAY = datetime(2026, 5, 4, tzinfo=ZONE)
BOOT = DAY - timedelta(days=10)
"""The engine's clock begins here."""
SETTINGS = FiguresSettings()
RULES = ("answer.rings", "voice.level", "hold.check_in")


def at(day: int, second: float = 0.0) -> float:
    """Seconds on the engine's clock of a second of a day; day 0 is the one looked at."""
    return (day + 10) * 86400.0 + second


def utc(at_s: float) -> str:
    return (BOOT + timedelta(seconds=at_s)).astimezone(UTC).isoformat(timespec="milliseconds")[:-6] + "Z"


def one_call(chance: random.Random, call_id: str, start_s: float) -> Iterator[Event]:
    """A call as callers make them; the last event is its end or a verdict."""
    about: dict[str, Any] = {"call_id": call_id}
    number = "" if chance.random() < 0.05 else f"1380013{chance.randrange(700):04d}"
    now_s = start_s
    if chance.random() < 0.15:
        yield CallOutgoing(at_s=now_s, number=number or "10086", **about)
        now_s += chance.uniform(3.0, 20.0)
        if chance.random() < 0.3:
            yield CallEnded(at_s=now_s, by="network", cause="no_answer", **about)
            return
    else:
        yield CallIncoming(at_s=now_s, number=number, **about)
        if chance.random() < 0.03:
            yield CallEnded(at_s=now_s, by="appliance", cause="busy", **about)
            return
        yield CallAlerting(at_s=now_s + 0.02, **about)
        now_s += chance.choice((chance.uniform(0.5, 8.0), chance.uniform(1.0, 30.0)))
        fate = chance.random()
        if fate < 0.12:
            yield CallEnded(at_s=now_s, by="customer", cause="cancelled", **about)
            return
        if fate < 0.16:
            cause: Any = chance.choice(("forwarded", "overflow", "rejected"))
            yield CallEnded(at_s=now_s, by="appliance", cause=cause, **about)
            return
    yield CallAnswered(at_s=now_s, **about)
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        now_s += chance.uniform(1.0, 10.0)
        yield HoldStarted(at_s=now_s, by="agent", **about)
        now_s += chance.uniform(1.0, 10.0)
        if chance.random() < 0.9:
            yield HoldEnded(at_s=now_s, by="agent", **about)
        else:
            break
    now_s += chance.uniform(2.0, 25.0)
    if chance.random() < 0.1:
        state: Any = chance.choice(("succeeded", "failed"))
        yield TransferProgress(at_s=now_s, state=state, target="1001", **about)
    yield CallEnded(at_s=now_s, by="customer", cause="hangup", **about)
    for rule in RULES:
        verdict: Any = chance.choice(("met", "met", "warned", "breached", "not_applicable"))
        yield Verdict(at_s=now_s, rule=rule, verdict=verdict, value=None, unit="", threshold=None, **about)


def simulated(chance: random.Random) -> Iterator[Event]:
    """Ten quiet days, the day of 1,000 calls, nine quiet days; breaks now and then."""
    yield EngineStarted(at_s=1.0, version="0", board="simulator", sip_stack="0")
    number = 0
    for day in range(-9, 10):
        count = 1000 if day == 0 else 40
        for place in range(count):
            number += 1
            yield from one_call(chance, f"c{number}", at(day, 60.0 + place * 86000.0 / count))
            free_s = at(day, 60.0 + (place + 0.97) * 86000.0 / count)
            if place % 50 == 20:
                yield AgentStateRequested(at_s=free_s, state="break", agent=f"agent {day % 2}")
            if place % 50 == 21:
                yield AgentStateRequested(at_s=free_s, state="away" if place % 100 == 21 else "ready")
            if place % 50 == 22:
                yield AgentStateRequested(at_s=free_s, state="ready")
    yield EngineStopped(at_s=at(10))


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("figures") / "journal.sqlite3"
    clock = [""]
    written = Journal(path, now=lambda: clock[0])
    agent = Agent(lambda: AgentSettings(wrap_up_s=5.0))
    records: list[Record] = []

    def add(event: Event) -> Record:
        clock[0] = utc(event.at_s)
        records.extend(written.number([event]))
        return records[-1]

    for event in simulated(random.Random(7)):
        while agent.wake_at_s is not None and agent.wake_at_s <= event.at_s:
            for derived in agent.wake(agent.wake_at_s):
                add(derived)
        for derived in agent.handle(add(event)):
            add(derived)
    written.write(records)
    written.close()
    return path


def report(
    journal: Path,
    by: Any = "hour",
    now: datetime = DAY + timedelta(days=9),
    settings: FiguresSettings = SETTINGS,
) -> FiguresReport:
    reader = JournalReader(journal)
    start, end = DAY.astimezone(UTC), (DAY + timedelta(days=1)).astimezone(UTC)
    window = timedelta(days=SETTINGS.repeat_days)
    texts = [
        (t.isoformat(timespec="milliseconds")[:-6] + "Z") for t in (start, end, start - window, end + window)
    ]
    found = reader.figure_records(texts[2], texts[3], verdicts=False)
    judged = reader.figure_records(texts[0], texts[1], verdicts=True)
    reader.close()
    records = {record.number: record for record in (*found, *judged)}
    facts = collect((records[number] for number in sorted(records)), now)
    return figures(facts, start, end, by, ZONE, settings, now)


# The other way: SQL over the events' JSON, nothing of the product's code.
SQL = """
WITH
  e AS (SELECT number AS seq, utc, boot, call_id, kind,
        json_extract(record, '$.at_s') AS at_s, record FROM events),
  began AS (SELECT call_id, seq, utc, kind = 'call_incoming' AS incoming,
        json_extract(record, '$.number') AS number,
        (julianday(utc) - 2440587.5) * 86400.0 AS t FROM e WHERE kind IN ('call_incoming', 'call_outgoing')),
  rang AS (SELECT call_id, min(at_s) AS at_s FROM e WHERE kind = 'call_alerting' GROUP BY call_id),
  taken AS (SELECT call_id, min(at_s) AS at_s FROM e WHERE kind = 'call_answered' GROUP BY call_id),
  over AS (SELECT call_id, at_s, json_extract(record, '$.by') AS who, json_extract(record, '$.cause') AS cause
        FROM e WHERE kind = 'call_ended'),
  hold AS (SELECT call_id, kind, lead(at_s) OVER (PARTITION BY call_id ORDER BY seq) - at_s AS held_s
        FROM e WHERE kind IN ('hold_started', 'hold_ended', 'call_ended')),
  holds AS (SELECT call_id, sum(held_s) AS held_s FROM hold WHERE kind = 'hold_started' GROUP BY call_id),
  moved AS (SELECT DISTINCT call_id FROM e
        WHERE kind = 'transfer_progress' AND json_extract(record, '$.state') = 'succeeded'),
  span AS (SELECT json_extract(record, '$.state') AS state, json_extract(record, '$.about') AS about, kind,
        (julianday(utc) - 2440587.5) * 86400.0 AS t, at_s,
        lead(at_s) OVER (ORDER BY seq) - at_s AS length_s
        FROM e WHERE kind IN ('agent_state_changed', 'engine_stopped')),
  wrap AS (SELECT about, sum(length_s) AS wrap_s FROM span WHERE state = 'wrap_up' GROUP BY about),
  call AS (SELECT began.*, rang.at_s IS NOT NULL AND incoming AS offered, taken.at_s IS NOT NULL AS answered,
        coalesce(taken.at_s, over.at_s) - rang.at_s AS wait_s, over.at_s - taken.at_s AS up_s, who, cause,
        coalesce(held_s, 0.0) AS held_s, held_s IS NOT NULL AS held, coalesce(wrap_s, 0.0) AS wrap_s,
        moved.call_id IS NOT NULL AS moved,
        CAST((t + 28800.0) / 3600.0 AS INTEGER) AS hour
        FROM began LEFT JOIN rang USING (call_id) LEFT JOIN taken USING (call_id) JOIN over USING (call_id)
        LEFT JOIN holds USING (call_id) LEFT JOIN moved USING (call_id)
        LEFT JOIN wrap ON wrap.about = began.call_id)
"""
CALLS_SQL = (
    SQL  # noqa: S608 - our own words
    + """
SELECT hour,
  sum(offered) AS offered,
  sum(incoming AND NOT offered) AS turned_away,
  sum(offered AND answered) AS answered,
  sum(offered AND NOT answered AND who = 'customer' AND wait_s >= 5) AS abandoned,
  sum(offered AND NOT answered AND who = 'customer' AND wait_s < 5) AS short_abandoned,
  sum(offered AND NOT answered AND who = 'appliance') AS passed_on,
  sum(offered AND answered AND wait_s <= 20) AS answered_in_time,
  100.0 * sum(offered AND answered AND wait_s <= 20) / sum(offered) AS service_level_percent,
  100.0 * sum(offered AND answered AND wait_s <= 20)
    / sum(offered AND NOT (NOT answered AND who = 'customer' AND wait_s <= 20))
    AS service_level_ignoring_abandoned_percent,
  100.0 * sum(offered AND NOT answered AND who = 'customer' AND wait_s >= 5)
    / sum(offered AND (answered OR (who = 'customer' AND wait_s >= 5))) AS abandoned_percent,
  avg(CASE WHEN offered AND answered THEN wait_s END) AS average_speed_of_answer_s,
  max(CASE WHEN offered THEN wait_s END) AS longest_wait_s,
  sum(CASE WHEN offered AND answered THEN up_s - held_s ELSE 0 END) AS talk_s,
  sum(CASE WHEN offered AND answered THEN held_s ELSE 0 END) AS hold_s,
  sum(CASE WHEN offered AND answered THEN wrap_s ELSE 0 END) AS wrap_up_s,
  avg(CASE WHEN offered AND answered THEN up_s + wrap_s END) AS average_handling_time_s,
  sum(offered AND answered AND held) AS held,
  100.0 * avg(CASE WHEN offered AND answered THEN held END) AS held_percent,
  sum(offered AND answered AND moved) AS transferred,
  100.0 * avg(CASE WHEN offered AND answered THEN moved END) AS transferred_percent,
  sum(NOT incoming) AS outgoing,
  sum(NOT incoming AND answered) AS outgoing_answered,
  sum(CASE WHEN NOT incoming AND answered THEN up_s ELSE 0 END) AS outgoing_talk_s,
  100.0 * avg(CASE WHEN offered AND answered AND number != '' THEN NOT EXISTS (
    SELECT 1 FROM call AS later WHERE later.number = call.number AND later.offered
    AND later.t > call.t AND later.t <= call.t + 7 * 86400) END) AS first_call_resolution_percent,
  sum(offered AND number != '' AND EXISTS (
    SELECT 1 FROM call AS former WHERE former.number = call.number AND former.offered
    AND former.t < call.t AND former.t >= call.t - 7 * 86400)) AS repeat_calls,
  count(DISTINCT CASE WHEN offered AND number != '' AND EXISTS (
    SELECT 1 FROM call AS former WHERE former.number = call.number AND former.offered
    AND former.t < call.t AND former.t >= call.t - 7 * 86400) THEN number END) AS repeat_callers
FROM call WHERE hour >= :first AND hour < :last GROUP BY {group}
"""
)
STATES_SQL = (
    SQL  # noqa: S608 - our own words
    + """
, hours(h) AS (SELECT :first UNION ALL SELECT h + 1 FROM hours WHERE h + 1 < :last)
SELECT {group} AS hour, state,
  sum(max(0.0, min(t + length_s, (h + 1) * 3600.0 - 28800.0) - max(t, h * 3600.0 - 28800.0))) AS spent_s
FROM hours JOIN span WHERE kind = 'agent_state_changed' GROUP BY 1, state
"""
)
STATE_FIELDS = {
    "ready": "ready_s",
    "talking": "talking_s",
    "wrap_up": "working_after_s",
    "break": "break_s",
    "away": "away_s",
}


def by_sql(journal: Path, group: str) -> list[dict[str, Any]]:
    """The same figures, an hour a row (``group`` is ``hour``) or as a whole (``0``)."""
    first = int((DAY.timestamp() + 28800) // 3600)
    bounds = {"first": first, "last": first + 24}
    db = sqlite3.connect(journal)
    db.row_factory = sqlite3.Row
    query = CALLS_SQL.format(group="hour" if group == "hour" else "NULL")
    rows = {(row["hour"] if group == "hour" else 0): dict(row) for row in db.execute(query, bounds)}
    states = STATES_SQL.format(group="h" if group == "hour" else "0")
    for row in db.execute(states, bounds):
        rows[row["hour"]][STATE_FIELDS[row["state"]]] = row["spent_s"]
    db.close()
    for figures_row in rows.values():
        busy_s = figures_row["talking_s"] + figures_row["working_after_s"]
        figures_row["occupancy_percent"] = 100.0 * busy_s / (busy_s + figures_row["ready_s"])
        figures_row["staffed_s"] = busy_s + figures_row["ready_s"]
        figures_row["shift_s"] = figures_row["staffed_percent"] = None
        del figures_row["hour"]
    return [rows[key] for key in sorted(rows)]


def assert_same(row: FiguresRow, expected: dict[str, Any]) -> None:
    assert set(expected) == set(FORMULAS)
    for name, value in expected.items():
        made = getattr(row, name)
        assert made == (None if value is None else pytest.approx(value, abs=0.002)), (row.label, name)


def test_a_day_of_1000_calls_by_the_hour_equals_sql(journal: Path) -> None:
    made = report(journal)
    expected = by_sql(journal, "hour")
    assert len(made.rows) == len(expected) == 24
    for row, other in zip(made.rows, expected, strict=True):
        assert_same(row, other)


def test_a_day_of_1000_calls_as_a_whole_equals_sql(journal: Path) -> None:
    made = report(journal, "day")
    (expected,) = by_sql(journal, "all")
    assert made.rows[0] == made.total
    assert_same(made.total, expected)
    total = made.total
    assert total.offered + total.outgoing + total.turned_away == 1000
    fates = total.abandoned + total.short_abandoned + total.passed_on
    assert total.offered == total.answered + fates
    assert total.label == "2026-05-04T00:00+08:00"
    parts_s = total.ready_s + total.talking_s + total.working_after_s + total.break_s + total.away_s
    assert parts_s == pytest.approx(86400.0, abs=0.05)


SHIFTS = FiguresSettings(weekday_shifts=("08:30-12:00", "13:15-18:00", "22:00-24:00"))
SHIFTS_SQL = (
    SQL  # noqa: S608 - our own words
    + """
, shift(a, b) AS (VALUES (8.5, 12.0), (13.25, 18.0), (22.0, 24.0)),
cut(a, b) AS (SELECT max(a, :first), min(b, :last) FROM shift WHERE max(a, :first) < min(b, :last))
SELECT state,
  sum(max(0.0, min(t + length_s - :midnight, b * 3600.0) - max(t - :midnight, a * 3600.0))) AS spent_s
FROM cut JOIN span WHERE kind = 'agent_state_changed' GROUP BY state
"""
)


def test_occupancy_is_that_of_the_shifts_as_sql_has_it(journal: Path) -> None:
    by_hour, whole = (report(journal, by, settings=SHIFTS) for by in ("hour", "day"))
    assert whole.total.shift_s == (3.5 + 4.75 + 2.0) * 3600.0
    assert [row.shift_s for row in by_hour.rows[7:15]] == [0, 1800, 3600, 3600, 3600, 0, 2700, 3600]
    assert by_hour.rows[3].occupancy_percent is None, "nobody is to be there at night"
    db = sqlite3.connect(journal)
    for row, first, last in ((whole.total, 0, 24), (by_hour.rows[8], 8, 9), (by_hour.rows[23], 23, 24)):
        bounds = {"first": first, "last": last, "midnight": DAY.timestamp()}
        spent_s = dict(db.execute(SHIFTS_SQL, bounds).fetchall())
        busy_s = spent_s["talking"] + spent_s["wrap_up"]
        staffed_s = busy_s + spent_s["ready"]
        assert row.staffed_s == pytest.approx(staffed_s, abs=0.002)
        assert row.occupancy_percent == pytest.approx(100.0 * busy_s / staffed_s, abs=0.002)
        assert row.shift_s is not None
        assert row.staffed_percent == pytest.approx(100.0 * staffed_s / row.shift_s, abs=0.002)
    db.close()
    plain = report(journal, "day").total
    assert (whole.total.ready_s, whole.total.offered) == (plain.ready_s, plain.offered)


def test_a_shift_counts_as_far_as_it_has_passed(journal: Path) -> None:
    at_nine = DAY + timedelta(hours=9)
    assert report(journal, "day", now=at_nine, settings=SHIFTS).total.shift_s == 1800.0
    saturday = DAY + timedelta(days=5)
    maker = Shifts(SHIFTS, ZONE)
    assert list(maker.between(saturday, saturday + timedelta(days=2))) == []


def test_norms_are_scored_as_sql_counts_them(journal: Path) -> None:
    db = sqlite3.connect(journal)
    counted = db.execute(
        "SELECT rule, verdict, count(*) FROM verdicts JOIN calls USING (call_id)"
        " WHERE date(started_utc, '+8 hours') = '2026-05-04' GROUP BY rule, verdict"
    ).fetchall()
    db.close()
    norms = report(journal).total.norms
    assert set(norms) == set(RULES)
    for rule, verdict, count in counted:
        assert getattr(norms[rule], verdict) == count
    level = norms["voice.level"]
    judged = level.met + level.warned + level.breached
    assert level.met_percent == pytest.approx(100.0 * level.met / judged, abs=0.001)


def test_agents_share_the_day(journal: Path) -> None:
    made = report(journal, "agent")
    assert [row.label for row in made.rows] == ["agent 0", "agent 1"]
    assert sum(row.offered for row in made.rows) == made.total.offered
    assert sum(row.talking_s for row in made.rows) == pytest.approx(made.total.talking_s)


def test_resolution_is_not_told_before_its_days_are_over(journal: Path) -> None:
    assert report(journal, now=DAY + timedelta(days=2)).total.first_call_resolution_percent is None


def test_the_journal_has_an_index_for_what_counts(journal: Path) -> None:
    for kind in CALL_KINDS:
        assert f"'{kind}'" in COUNTED_EVENTS
    assert COUNTED_EVENTS.count("'") == 2 * len(CALL_KINDS)
    db = sqlite3.connect(journal)
    plan = db.execute(
        "EXPLAIN QUERY PLAN SELECT events.record FROM calls JOIN events USING (call_id)"  # noqa: S608
        f" WHERE started_utc >= '2026' AND started_utc < '2027' AND {COUNTED_EVENTS}"
    ).fetchall()
    db.close()
    assert "events_counted" in str(plan)


def test_days_and_hours_follow_local_time() -> None:
    berlin = zoneinfo.ZoneInfo("Europe/Berlin")
    start = datetime(2026, 10, 24, tzinfo=berlin)
    end = datetime(2026, 10, 27, tzinfo=berlin)
    days = list(intervals(start.astimezone(UTC), end.astimezone(UTC), "day", berlin))
    assert [(b - a) / timedelta(hours=1) for a, b in days] == [24.0, 25.0, 24.0]
    assert len(list(intervals(start.astimezone(UTC), end.astimezone(UTC), "hour", berlin))) == 73


def test_nothing_is_divided_by_nothing() -> None:
    empty = figures(collect([], DAY), DAY, DAY + timedelta(days=1), "all", ZONE, SETTINGS, DAY).total
    assert {getattr(empty, name) for name in FORMULAS} == {0, None}

"""What ``GET /metrics`` tells, in the text format of Prometheus."""

import contextlib
import math
from typing import Any, Final

from fastapi import APIRouter, Response
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    Info,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)

from thirdring.protocol.commands import GetMetrics, GetState
from thirdring.protocol.errors import ThirdringError
from thirdring.protocol.events import Record, Verdict
from thirdring_device.gateway.api.problems import problems
from thirdring_device.gateway.engine_client import EngineClient

__all__ = ["METRIC_LABELS", "Metrics", "metrics_router"]

SOURCE: Final = "metrics"
BUCKETS_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 5.0)
TRUNK_WELL: Final = ("static", "registered")
TEXT: Final[dict[int | str, dict[str, Any]]] = {
    200: {"description": "The metrics", "content": {"text/plain": {"schema": {"type": "string"}}}}
}

METRIC_LABELS: Final = {
    "thirdring_http_requests": ("endpoint", "status"),
    "thirdring_events": ("kind",),
    "thirdring_verdicts": ("rule", "verdict"),
    "thirdring_build": ("version", "board", "sip_stack"),
}

disable_created_metrics()  # type: ignore[no-untyped-call] # they double the number of series for what nobody asks


class Metrics:
    """The gateway's counters, and gauges that are read from the engine when somebody asks.

    Counters begin at nought with each start of the gateway. Gauges of the engine are NaN while it is away.
    """

    def __init__(self) -> None:
        """Begin to count."""
        self.registry = registry = CollectorRegistry()
        self._requests = Counter(
            "thirdring_http_requests",
            "HTTP requests answered, by endpoint (as in api-roles.md, else `other`) and status",
            METRIC_LABELS["thirdring_http_requests"],
            registry=registry,
        )
        self._request_s = Histogram(
            "thirdring_http_request_seconds",
            "Time from a request's headers to the end of its answer",
            buckets=BUCKETS_S,
            registry=registry,
        )
        self._streams = Gauge(
            "thirdring_event_streams", "WebSocket connections that follow the events", registry=registry
        )
        self._events = Counter(
            "thirdring_events", "Events of the journal", METRIC_LABELS["thirdring_events"], registry=registry
        )
        self._verdicts = Counter(
            "thirdring_verdicts",
            "Verdicts of the norms",
            METRIC_LABELS["thirdring_verdicts"],
            registry=registry,
        )
        self._build = Info("thirdring_build", "Version, board and SIP stack", registry=registry)
        self._engine_up = Gauge("thirdring_engine_up", "1 while the engine answers", registry=registry)
        self._trunk_up = Gauge(
            "thirdring_trunk_up", "1 while the trunk can take calls: registered or static", registry=registry
        )
        self._storage_full = Gauge(
            "thirdring_storage_full", "1 while records wait in memory for room on the disk", registry=registry
        )
        self._calls = Gauge("thirdring_calls", "Calls that are there now", registry=registry)
        self._strangers = Gauge(
            "thirdring_strangers_refused",
            "INVITEs refused since the engine started, because the trunk does not know their source",
            registry=registry,
        )
        self._last_event = Gauge(
            "thirdring_last_event_number", "Number of the journal's newest event", registry=registry
        )
        self._tick_p99_s = Gauge(
            "thirdring_sound_tick_p99_seconds",
            "99th percentile of the interval between the sound bridge's ticks, 0.02 when all is well",
            registry=registry,
        )
        self._tick_max_s = Gauge(
            "thirdring_sound_tick_max_seconds",
            "Longest interval between the sound bridge's ticks since the engine started",
            registry=registry,
        )
        ProcessCollector(namespace="thirdring_gateway", registry=registry)

    def request(self, endpoint: str, status: int, took_s: float) -> None:
        """Count an answered request."""
        self._requests.labels(endpoint or "other", str(status)).inc()
        self._request_s.observe(took_s)

    def stream(self, *, open: bool) -> None:  # noqa: A002 - the word for it
        """Count a stream of events that begins or ends."""
        self._streams.inc(1 if open else -1)

    def event(self, record: Record) -> None:
        """Count an event."""
        self._events.labels(record.event.kind).inc()
        if isinstance(record.event, Verdict):
            self._verdicts.labels(record.event.rule, record.event.verdict).inc()

    async def ask(self, client: EngineClient) -> None:
        """Set the gauges of the engine."""
        gauges = (self._trunk_up, self._storage_full, self._calls, self._strangers, self._last_event)
        for gauge in (*gauges, self._tick_p99_s, self._tick_max_s):
            gauge.set(math.nan)
        self._engine_up.set(0)
        with contextlib.suppress(ThirdringError):
            state = await client.command(GetState(source=SOURCE))
            self._engine_up.set(1)
            self._trunk_up.set(state["trunk"] in TRUNK_WELL)
            self._storage_full.set(state["storage"] == "full")
            self._calls.set(len(state["calls"]))
            self._strangers.set(state["strangers_refused"])
            self._last_event.set(state["last_event"])
            self._build.info({name: str(state[name]) for name in METRIC_LABELS["thirdring_build"]})
            ticks = (await client.command(GetMetrics(source=SOURCE)))["frame_interval"]
            if ticks["count"]:
                self._tick_p99_s.set(ticks["p99_ms"] / 1000.0)
                self._tick_max_s.set(ticks["max_ms"] / 1000.0)


def metrics_router(metrics: Metrics, client: EngineClient) -> APIRouter:
    """Return the route."""
    router = APIRouter(tags=["gateway"])

    @router.get("/metrics", response_class=Response, responses={**TEXT, **problems()})
    async def prometheus() -> Response:
        """Return the metrics of the gateway and the engine for Prometheus; their names: docs/metrics.md."""
        await metrics.ask(client)
        return Response(generate_latest(metrics.registry), media_type=CONTENT_TYPE_LATEST)

    return router

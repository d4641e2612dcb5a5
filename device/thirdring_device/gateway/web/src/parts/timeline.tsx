import { useMemo } from "preact/hooks";
import type uPlot from "uplot";

import { clockTime, language, level, named, t } from "../i18n";
import type { Report } from "../types";
import { axis, Chart } from "./chart";

const GUTTER_PX = 56;

interface Span {
  start_s: number;
  end_s: number;
  kind: string;
  title: string;
}

function Lane({ title, spans, duration_s }: { title: string; spans: Span[]; duration_s: number }) {
  return (
    <div class="lane">
      <span class="name">{title}</span>
      <div class="track">
        {spans.map((span, place) => (
          <i
            key={place}
            class={span.kind}
            title={span.title}
            style={{
              left: `${(100 * span.start_s) / duration_s}%`,
              width: `max(3px, ${(100 * Math.max(0, span.end_s - span.start_s)) / duration_s}%)`,
            }}
          />
        ))}
      </div>
    </div>
  );
}

/** The call as a picture on one axis: levels with the band, rings, who spoke, what was prompted. */
export function Timeline({ report, play }: { report: Report; play?: ((at_s: number) => void) | undefined }) {
  const { duration_s, series, limits } = report;
  const low = limits.level_target_dbov - limits.level_band_db;
  const high = limits.level_target_dbov + limits.level_band_db;

  const data = useMemo<uPlot.AlignedData>(() => {
    if (!series) return [[0, duration_s], [null, null], [null, null]];
    const times = series.agent_after_rms.map((_, place) => series.start_s + place * series.step_s);
    const loud = (values: (number | null)[]) => values.map((value) => (value === null ? null : Math.max(-70, value)));
    return [times, loud(series.agent_after_rms), loud(series.customer_rms)];
  }, [report]);

  const at = (at_s: number) => clockTime(at_s);
  const span = (start_s: number, end_s: number, kind: string, what: string): Span => ({
    start_s,
    end_s,
    kind,
    title: `${what} ${at(start_s)}–${at(end_s)}`,
  });
  const talk = (side: string) => report.spurts.filter((one) => one.side === side).map((one) => span(one.start_s, one.end_s, side, t(`report.${side}` as never)));
  const rings = report.rings.map((ring) => span(ring.at_s, Math.min(ring.at_s + 1, duration_s), `ring ${ring.urgency}`, t("desk.rings.say", { ring: ring.number })));
  const between = report.stretches.map((one) => span(one.start_s, one.end_s, one.kind, named("stretch", one.kind)));
  const moments = report.moments
    .filter((one) => one.kind === "prompt" || one.kind === "norm")
    .map((one) => span(one.at_s, one.at_s, `moment ${one.state}`, one.kind === "norm" ? named("rule", one.rule) : named("prompt", one.name)));

  return (
    <section class="card timeline" aria-labelledby="timeline-title">
      <h2 id="timeline-title">
        {t("report.timeline")} <small>{t("level.band", { low: level(low), high: level(high) })}</small>
      </h2>
      <div
        class={play ? "can-play" : ""}
        title={play ? t("report.play") : undefined}
        onClick={(event) => {
          const track = event.currentTarget.querySelector<HTMLElement>(".lane .track");
          if (!play || !track) return;
          const box = track.getBoundingClientRect();
          play(Math.max(0, Math.min(1, (event.clientX - box.left) / box.width)) * duration_s);
        }}
      >
        <Chart
          label={t("report.levels")}
          height={180}
          data={data}
          redraw={language.value}
          build={(of) => ({
            padding: [8, 0, 0, 0],
            legend: { show: false },
            cursor: { y: false, points: { show: false } },
            scales: { x: { time: false, range: [0, duration_s] }, y: { range: [-70, 0] } },
            axes: [
              axis(of, { values: (_, values) => values.map(at) }),
              axis(of, { size: GUTTER_PX, values: (_, values) => values.map((value) => `${value}`) }),
            ],
            series: [
              {},
              { stroke: of("agent"), width: 1.5, label: t("level.agent"), points: { show: false } },
              { stroke: of("customer"), width: 1.5, label: t("level.customer"), points: { show: false } },
            ],
            hooks: {
              drawClear: [
                (plot) => {
                  const top = plot.valToPos(high, "y", true);
                  plot.ctx.fillStyle = of("band");
                  plot.ctx.fillRect(plot.bbox.left, top, plot.bbox.width, plot.valToPos(low, "y", true) - top);
                },
              ],
            },
          })}
        />
        <Lane title={t("report.rings")} spans={rings} duration_s={duration_s} />
        <Lane title={t("report.agent")} spans={talk("agent")} duration_s={duration_s} />
        <Lane title={t("report.customer")} spans={talk("customer")} duration_s={duration_s} />
        <Lane title={t("report.between")} spans={between} duration_s={duration_s} />
        <Lane title={t("report.prompts")} spans={moments} duration_s={duration_s} />
      </div>
      <p class="legend">
        <span class="agent">{t("calls.by.agent")}</span>
        <span class="customer">{t("calls.by.customer")}</span>
      </p>
    </section>
  );
}

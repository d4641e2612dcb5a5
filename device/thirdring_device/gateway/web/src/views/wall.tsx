import { useEffect, useMemo, useState } from "preact/hooks";
import type uPlot from "uplot";

import { api } from "../api";
import { calls, changedCalls, desk, setting } from "../desk";
import { duration, language, named, number, percent, t } from "../i18n";
import { axis, Chart } from "../parts/chart";
import { attempt } from "../toast";
import type { FiguresReport, FiguresRow, NormScore } from "../types";

const REFRESH_MS = 30_000;
const DAY_MS = 86_400_000;

function localDay(ms: number): string {
  const zone = setting("firm.time_zone", "UTC");
  return new Intl.DateTimeFormat("sv-SE", { timeZone: zone, dateStyle: "short" }).format(new Date(ms));
}

/** Key figures for a screen on the wall; read anew with every call that ends, and twice a minute. */
export function WallView() {
  const [figures, setFigures] = useState<FiguresReport | null>(null);
  const [span, setSpan] = useState<"day" | "week">("day");

  useEffect(() => {
    const read = () =>
      void attempt(async () => {
        const week = { by: "day", from: localDay(Date.now() - 6 * DAY_MS), to: localDay(Date.now() + DAY_MS) };
        setFigures(await api.get<FiguresReport>("/v1/figures", span === "day" ? { by: "hour" } : week));
      });
    read();
    const timer = setInterval(read, REFRESH_MS);
    return () => clearInterval(timer);
  }, [span, changedCalls.value]);

  if (!figures) return <p class="empty">{t("app.loading")}</p>;
  const { total } = figures;
  const target = setting("figures.service_level_percent", 80);
  const reached = total.service_level_percent;
  const tiles: [string, string][] = [
    [t("wall.offered"), number(total.offered)],
    [t("wall.answered"), number(total.answered)],
    [t("wall.abandoned"), percent(total.abandoned_percent, 1)],
    [t("wall.asa"), duration(total.average_speed_of_answer_s)],
    [t("wall.longest"), duration(total.longest_wait_s)],
    [t("wall.aht"), duration(total.average_handling_time_s)],
    [t("wall.occupancy"), percent(total.occupancy_percent)],
    [t("wall.fcr"), percent(total.first_call_resolution_percent)],
    [t("wall.repeat"), number(total.repeat_callers)],
    [t("wall.outgoing"), number(total.outgoing)],
  ];
  const state = desk.value?.agent_state ?? "ready";
  const ringing = calls.value.some((call) => call.state === "ringing");
  return (
    <div class="wall">
      <div class="title">
        <h1>{t(span === "day" ? "wall.day" : "wall.week")}</h1>
        <div class="tabs" role="group" aria-label={t("view.wall")}>
          {(["day", "week"] as const).map((one) => (
            <button key={one} type="button" aria-pressed={span === one} onClick={() => setSpan(one)}>
              {t(`wall.${one}`)}
            </button>
          ))}
        </div>
      </div>
      <section class={`card service ${reached === null ? "" : reached >= target ? "met" : "breached"}`} aria-labelledby="service-title">
        <h2 id="service-title">{t("wall.serviceLevel")}</h2>
        <strong>{percent(reached)}</strong>
        <div class="track" aria-hidden="true">
          <div class="bar" style={{ width: `${reached ?? 0}%` }} />
          <i style={{ left: `${target}%` }} />
        </div>
        <p class="hint">
          {t("wall.serviceLevel.hint", { seconds: duration(figures.answer_within_s), target: percent(target) })}
          {reached !== null && ` · ${t(reached >= target ? "wall.target" : "wall.below")}`}
        </p>
      </section>
      <section class="card now" aria-labelledby="now-title">
        <h2 id="now-title">{t("wall.now")}</h2>
        <strong class={`agent-${state}`}>{ringing ? t("wall.ringing") : t(`agent.${state}`)}</strong>
        <p class="hint">
          {desk.value?.agent && `${desk.value.agent} · `}
          {t("wall.calls", { count: calls.value.length })}
        </p>
      </section>
      <dl class="tiles">
        {tiles.map(([name, value]) => (
          <div key={name} class="card">
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
      </dl>
      <Arrivals figures={figures} span={span} />
      <Scores norms={total.norms} rows={figures.rows} name={(row) => rowName(figures, row, span)} />
    </div>
  );
}

/** An hour or a day, in the desk's own time. */
function rowName(figures: FiguresReport, row: FiguresRow, span: "day" | "week"): string {
  const form: Intl.DateTimeFormatOptions = span === "day" ? { hour: "2-digit", minute: "2-digit" } : { weekday: "short" };
  const zoned = { ...form, timeZone: figures.time_zone };
  return new Intl.DateTimeFormat(language.value === "zh" ? "zh-CN" : "en-GB", zoned).format(new Date(row.start_utc));
}

function Arrivals({ figures, span }: { figures: FiguresReport; span: "day" | "week" }) {
  const data = useMemo<uPlot.AlignedData>(
    () => [
      figures.rows.map((_, place) => place),
      figures.rows.map((row) => row.offered),
      figures.rows.map((row) => row.answered),
    ],
    [figures],
  );
  const title = t(span === "day" ? "wall.byHour" : "wall.byDay");
  const most = Math.max(4, ...figures.rows.map((row) => row.offered));
  const name = (place: number) => {
    const row = figures.rows[place];
    return row ? rowName(figures, row, span) : "";
  };
  return (
    <section class="card" aria-labelledby="arrivals-title">
      <h2 id="arrivals-title">{title}</h2>
      <Chart
        label={`${title}: ${figures.rows.map((row, place) => `${name(place)} ${row.offered}`).join(", ")}`}
        height={190}
        data={data}
        redraw={language.value}
        build={(of) => ({
          legend: { show: false },
          cursor: { show: false },
          scales: { x: { time: false, range: [-0.5, Math.max(0.5, figures.rows.length - 0.5)] }, y: { range: [0, most] } },
          axes: [
            axis(of, { values: (_, values) => values.map(name), grid: { show: false }, incrs: [1, 2, 3, 6] }),
            axis(of, { size: 36, incrs: [1, 2, 5, 10, 20, 50, 100] }),
          ],
          series: [{}, bars(of("silence")), bars(of("agent"))],
        })}
      />
      <p class="legend">
        <span class="offered">{t("wall.offered")}</span>
        <span class="agent">{t("wall.answered")}</span>
      </p>
    </section>
  );
}

function bars(fill: string): uPlot.Series {
  return {
    fill,
    width: 0,
    points: { show: false },
    paths: (plot, seriesIdx, start, end) => {
      const path = new Path2D();
      const wide = (plot.bbox.width / Math.max(1, plot.data[0].length)) * 0.6;
      const floor = plot.valToPos(0, "y", true);
      for (let place = start; place <= end; place++) {
        const value = plot.data[seriesIdx]?.[place] ?? 0;
        if (!value) continue;
        const top = plot.valToPos(value, "y", true);
        path.rect(plot.valToPos(plot.data[0][place] ?? 0, "x", true) - wide / 2, top, wide, floor - top);
      }
      return { fill: path, stroke: null, flags: 0 };
    },
  };
}

const GOOD_PERCENT = 90;
const FAIR_PERCENT = 70;

function shade(percent: number | null | undefined): string {
  if (percent === null || percent === undefined) return "";
  return percent >= GOOD_PERCENT ? "met" : percent >= FAIR_PERCENT ? "warned" : "breached";
}

interface ScoresProps {
  norms: Record<string, NormScore>;
  rows: FiguresRow[];
  name: (row: FiguresRow) => string;
}

/** Each norm as a whole, and a cell for every hour or day. */
function Scores({ norms, rows, name }: ScoresProps) {
  const judged = Object.entries(norms)
    .filter(([, score]) => score.met_percent !== null)
    .sort(([, a], [, b]) => (a.met_percent ?? 0) - (b.met_percent ?? 0));
  return (
    <section class="card scores" aria-labelledby="scores-title">
      <h2 id="scores-title">{t("wall.norms")}</h2>
      {judged.length === 0 ? (
        <p class="empty">{t("wall.norms.none")}</p>
      ) : (
        <ul>
          {judged.map(([rule, score]) => {
            const all = score.met + score.warned + score.breached;
            return (
              <li key={rule} data-rule={rule}>
                <span>{named("rule", rule)}</span>
                <div class="stack" aria-hidden="true">
                  {(["met", "warned", "breached"] as const).map((kind) => (
                    <i key={kind} class={kind} style={{ width: `${(100 * score[kind]) / all}%` }} />
                  ))}
                </div>
                <div class="cells" aria-hidden="true">
                  {rows.map((row) => {
                    const met = row.norms[rule]?.met_percent;
                    return <i key={row.start_utc} class={shade(met)} title={`${name(row)} ${percent(met)}`} />;
                  })}
                </div>
                <strong>{percent(score.met_percent)}</strong>
                <small>
                  {score.met}/{all}
                </small>
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

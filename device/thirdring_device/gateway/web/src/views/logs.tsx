import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { dateTime, t, timeOfDay } from "../i18n";
import { attempt } from "../toast";
import type { LogLine, SaidLine } from "../types";

const AGAIN_MS = 3000;
const SHOWN = 300;
const LEVELS = ["info", "warning", "error"] as const;
const PROCESSES = ["", "engine", "gateway"] as const;

/** What `ask` returns, asked again while the view is looked at; anew at once when `asked` changes. */
function useAsked<T>(ask: () => Promise<T[]>, asked: string): T[] | null {
  const [found, setFound] = useState<T[] | null>(null);
  useEffect(() => {
    let mine = true;
    const load = async () => {
      const lines = await ask();
      if (mine) setFound(lines);
    };
    void attempt(load);
    const timer = setInterval(() => {
      if (!document.hidden) void load().catch(() => undefined); // the foot of the page tells of a lost connection
    }, AGAIN_MS);
    return () => {
      mine = false;
      clearInterval(timer);
    };
  }, [asked]);
  return found;
}

/** What engine and gateway have logged, the newest first. */
export function Logs() {
  const [level, setLevel] = useState<(typeof LEVELS)[number]>("info");
  const [process, setProcess] = useState<(typeof PROCESSES)[number]>("");
  const [contains, setContains] = useState("");
  const query: Record<string, string | number> = { level, limit: SHOWN, contains: contains.trim() };
  if (process) query.process = process;
  const lines = useAsked(() => api.get<LogLine[]>("/v1/logs", query), JSON.stringify(query));
  return (
    <section class="card" aria-labelledby="logs-title">
      <h2 id="logs-title">{t("logs.title")}</h2>
      <p class="hint">{t("logs.hint")}</p>
      <div class="filters">
        <label>
          {t("logs.level")}
          <select value={level} onChange={(e) => setLevel(e.currentTarget.value as typeof level)}>
            {LEVELS.map((one) => (
              <option key={one} value={one}>
                {t(`logs.level.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("logs.process")}
          <select value={process} onChange={(e) => setProcess(e.currentTarget.value as typeof process)}>
            {PROCESSES.map((one) => (
              <option key={one} value={one}>
                {t(one ? `logs.process.${one}` : "calls.all")}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("logs.contains")}
          <input type="search" maxLength={100} value={contains} onInput={(e) => setContains(e.currentTarget.value)} />
        </label>
      </div>
      {lines === null ? (
        <p class="empty">{t("app.loading")}</p>
      ) : lines.length === 0 ? (
        <p class="empty">{t("logs.empty")}</p>
      ) : (
        <ol class="log" reversed tabIndex={0} aria-label={t("logs.title")}>
          {[...lines].reverse().map((line, place) => (
            <li key={place} class={line.level}>
              <time dateTime={line.utc}>{`${dateTime(line.utc)} ${timeOfDay(line.utc)}`}</time> <strong>{t(`logs.level.${line.level}`)}</strong>{" "}
              <span>{line.process}</span> <code lang="en">{line.text}</code>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

/** What was said on the serial consoles, in order. */
export function ConsoleTranscript() {
  const lines = useAsked(() => api.get<SaidLine[]>("/v1/transcript", { limit: SHOWN }), "");
  return (
    <section class="card" aria-labelledby="transcript-title">
      <h2 id="transcript-title">{t("transcript.title")}</h2>
      <p class="hint">{t("transcript.hint")}</p>
      {lines === null ? (
        <p class="empty">{t("app.loading")}</p>
      ) : lines.length === 0 ? (
        <p class="empty">{t("transcript.empty")}</p>
      ) : (
        <ol class="log transcript" tabIndex={0} aria-label={t("transcript.title")}>
          {lines.map((line, place) => (
            <li key={place} class={line.side}>
              <time dateTime={line.utc}>{timeOfDay(line.utc)}</time> <span>{line.console}</span>{" "}
              <span class="for-readers">{t(`transcript.${line.side}`)}</span>
              <span aria-hidden="true">{line.side === "host" ? "›" : "‹"}</span> <code lang="en">{line.text}</code>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

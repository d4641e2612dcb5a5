import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { desk, headset, log } from "../desk";
import { duration, number, t, timeOfDay, tOr } from "../i18n";
import { Facts } from "../parts/facts";
import { RestartOffer } from "../parts/restart";
import { Update } from "../parts/update";
import { route } from "../route";
import { attempt } from "../toast";
import type { EventRecord, UnitView } from "../types";
import { Access } from "./access";
import { Backup } from "./backup";
import { Care } from "./care";
import { ConsoleTranscript, Logs } from "./logs";
import { SelfTest } from "./selftest";
import { SettingsEditor } from "./settings";
import { Setup } from "./setup";

const CONTENTS: Record<string, () => preact.JSX.Element | null> = {
  "": State,
  selftest: SelfTest,
  setup: Setup,
  settings: SettingsEditor,
  backup: Backup,
  access: Access,
  log: Log,
  logs: Logs,
  transcript: ConsoleTranscript,
  care: Care,
};

export function TechnicianView() {
  const { rest } = route.value;
  const Contents = CONTENTS[rest] ?? State;
  return (
    <div class="list-view">
      <h1>{t("technician.title")}</h1>
      <nav class="tabs" aria-label={t("technician.title")}>
        {Object.keys(CONTENTS).map((name) => (
          <a key={name} href={`#/technician/${name}`} aria-current={rest === name ? "page" : undefined}>
            {t(`technician.${name || "state"}` as never)}
          </a>
        ))}
      </nav>
      <RestartOffer />
      <Contents />
    </div>
  );
}

function State() {
  const [engine, setEngine] = useState<"ok" | "unreachable" | "">("");
  const [unit, setUnit] = useState<UnitView | null>(null);
  const state = desk.value;
  useEffect(() => void attempt(async () => setUnit(await api.get<UnitView>("/v1/unit"))), []);
  useEffect(() => {
    void attempt(async () => setEngine((await api.get<{ engine: "ok" | "unreachable" }>("/healthz")).engine));
  }, [state]);
  if (!state) return null;
  const worn = headset.value;
  const fix = tOr(`technician.trunk.fix.${state.trunk}`, "");
  return (
    <div class="cards">
      <section class="card" aria-labelledby="trunk-title">
        <h2 id="trunk-title">{t("trunk.label")}</h2>
        <p class={`big state ${state.trunk === "registered" || state.trunk === "static" ? "good" : "bad"}`}>{t(`trunk.${state.trunk}`)}</p>
        {fix && <p>{fix}</p>}
        <Facts
          facts={[
            [t("technician.answer"), state.trunk_sip_code ? `${state.trunk_sip_code} ${state.trunk_reason}` : state.trunk_reason || t("app.none")],
            [t("technician.strangers"), number(state.strangers_refused)],
          ]}
        />
      </section>
      <section class="card" aria-labelledby="headset-title">
        <h2 id="headset-title">{t("technician.headset")}</h2>
        <p class={`big state ${worn?.present ? "good" : "bad"}`}>
          {t(worn?.present ? "technician.headset.present" : "technician.headset.lost")}
        </p>
        <Facts
          facts={[
            [t("technician.headset.sound"), worn?.sound || t("app.none")],
            [t("technician.headset.buttons"), worn?.device || t("technician.headset.none")],
            [t("technician.leds"), worn?.leds.join(", ") || t("app.none")],
          ]}
        />
        {worn && worn.buttons.length > 0 && (
          <>
            <p class="hint">{t("technician.press")}</p>
            <div class="row">
              {worn.buttons.map((button) => (
                <button key={button} type="button" onClick={() => void attempt(() => api.post("/v1/headset/press", { button }))}>
                  {button}
                </button>
              ))}
            </div>
          </>
        )}
      </section>
      <section class="card" aria-labelledby="appliance-title">
        <h2 id="appliance-title">{t("technician.console")}</h2>
        <p class={`big state ${engine === "ok" ? "good" : engine ? "bad" : ""}`}>
          {t("technician.engine")}: {engine ? t(`technician.engine.${engine}`) : t("app.loading")}
        </p>
        <Facts
          facts={[
            [t("technician.version"), state.version],
            [t("technician.board"), state.board],
            [t("technician.stack"), state.sip_stack],
            [t("technician.storage"), t(`technician.storage.${state.storage}`)],
            [t("technician.lastEvent"), number(log.value.at(-1)?.seq ?? state.last_event)],
          ]}
        />
      </section>
      {unit && <Board unit={unit} />}
    </div>
  );
}

/** The board, what runs on it, and whether it can be given something newer. */
function Board({ unit }: { unit: UnitView }) {
  const { machine, update } = unit;
  const room = t("technician.room.of", { free: number(machine.disk_free_mb), all: number(machine.disk_mb) });
  return (
    <>
      <section class="card" aria-labelledby="board-title">
        <h2 id="board-title">{t("technician.board")}</h2>
        <p class="big">{machine.model || unit.board}</p>
        <Facts
          facts={[
            [t("technician.serial"), machine.serial_number],
            [t("technician.board"), unit.board],
            [t("technician.processor"), `${machine.processors} × ${machine.processor}`],
            [t("technician.system"), machine.system || t("app.none")],
            [t("technician.kernel"), machine.kernel],
            ["Python", machine.python],
            [t("technician.up"), duration(machine.up_s)],
            [t("technician.load"), number(machine.load, 2)],
            [t("technician.room"), room],
          ]}
        />
      </section>
      <Update found={update} />
    </>
  );
}

const HEAD = new Set(["seq", "utc", "kind", "at_s", "call_id"]);

function rest(record: EventRecord): string {
  return Object.entries(record)
    .filter(([name, value]) => !HEAD.has(name) && value !== "" && value !== null)
    .map(([name, value]) => `${name}=${typeof value === "object" ? JSON.stringify(value) : String(value)}`)
    .join(" ");
}

function Log() {
  const [search, setSearch] = useState("");
  const [stopped, setStopped] = useState<EventRecord[] | null>(null);
  const wanted = search.trim().toLowerCase();
  const shown = (stopped ?? log.value).filter((one) => !wanted || `${one.kind} ${one.call_id}`.includes(wanted)).slice(-200);
  return (
    <section class="card" aria-label={t("technician.log")}>
      <div class="filters">
        <label>
          {t("technician.log.filter")}
          <input type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        </label>
        <button type="button" aria-pressed={stopped !== null} onClick={() => setStopped(stopped ? null : log.value)}>
          {t(stopped ? "technician.log.go" : "technician.log.pause")}
        </button>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{t("technician.log.empty")}</p>
      ) : (
        <ol class="log" reversed tabIndex={0} aria-label={t("technician.log")}>
          {shown.reverse().map((one) => (
            <li key={one.seq}>
              <span>{one.seq}</span> <time dateTime={one.utc}>{timeOfDay(one.utc)}</time> <strong>{one.kind}</strong>{" "}
              <code>{rest(one)}</code>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { changedCalls, contactOf } from "../desk";
import { dateTime, duration, named, number, phone, t, tOr } from "../i18n";
import { route } from "../route";
import { attempt } from "../toast";
import type { CallSummary } from "../types";
import { CallBacks } from "./callbacks";
import { Contacts } from "./contacts";
import { ReportView } from "./report";

const PAGE = 50;
const PAGES = ["", "callbacks", "contacts"] as const;

export function CallsView() {
  const { rest } = route.value;
  if (rest && rest !== "callbacks" && rest !== "contacts") return <ReportView key={rest} callId={rest} />;
  return (
    <div class="list-view">
      <h1>{t("calls.title")}</h1>
      <nav class="tabs" aria-label={t("calls.title")}>
        {PAGES.map((name) => (
          <a key={name} href={`#/calls/${name}`} aria-current={rest === name ? "page" : undefined}>
            {t(name === "" ? "calls.list" : name === "callbacks" ? "calls.callBacks" : "calls.contacts")}
          </a>
        ))}
      </nav>
      {rest === "callbacks" ? <CallBacks /> : rest === "contacts" ? <Contacts /> : <CallList />}
    </div>
  );
}

type Chosen = "all" | "incoming" | "outgoing" | "missed" | "breached";
const CHOICES: Chosen[] = ["all", "incoming", "outgoing", "missed", "breached"];
const ASKED: Record<Chosen, Record<string, string | boolean>> = {
  all: {},
  incoming: { direction: "incoming" },
  outgoing: { direction: "outgoing" },
  missed: { direction: "incoming", answered: false },
  breached: { verdict: "breached" },
};

/** A number is looked for by the appliance, a name among the contacts' and the callers' own here. */
function calledSo(call: CallSummary, search: string): boolean {
  if (!search || isNumber(search)) return true;
  const name = contactOf(call.number)?.name ?? "";
  return `${call.display_name} ${name}`.toLowerCase().includes(search.toLowerCase());
}

function isNumber(search: string): boolean {
  return /^[+\d*# ]+$/.test(search);
}

function CallList() {
  const [all, setAll] = useState<CallSummary[] | null>(null);
  const [more, setMore] = useState(false);
  const [chosen, setChosen] = useState<Chosen>("all");
  const [search, setSearch] = useState("");
  const [day, setDay] = useState("");

  const text = search.trim();
  const query: Record<string, string | number | boolean> = { ...ASKED[chosen] };
  if (isNumber(text)) query.number = text.replaceAll(" ", "");
  if (day) {
    const next = new Date(Date.parse(`${day}T12:00:00Z`) + 86_400_000).toISOString().slice(0, 10);
    Object.assign(query, { from: day, to: next });
  }
  const asked = JSON.stringify(query);

  useEffect(() => {
    let mine = true;
    void attempt(async () => {
      const calls = await api.get<CallSummary[]>("/v1/calls", { ...query, limit: PAGE });
      if (!mine) return;
      setAll(calls);
      setMore(calls.length === PAGE);
    });
    return () => {
      mine = false;
    };
  }, [changedCalls.value, asked]);

  async function older() {
    const last = all?.at(-1);
    if (!all || !last) return;
    await attempt(async () => {
      const next = await api.get<CallSummary[]>("/v1/calls", { ...query, limit: PAGE, before: last.call_id });
      setAll([...all, ...next]);
      setMore(next.length === PAGE);
    });
  }

  if (!all) return <p class="empty">{t("app.loading")}</p>;
  const shown = all.filter((call) => calledSo(call, text));
  return (
    <section class="card" aria-label={t("calls.list")}>
      <div class="filters" role="search" aria-label={t("calls.filter")}>
        <label>
          {t("calls.search")}
          <input type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        </label>
        <label>
          {t("calls.show")}
          <select value={chosen} onChange={(e) => setChosen(e.currentTarget.value as Chosen)}>
            {CHOICES.map((one) => (
              <option key={one} value={one}>
                {t(`calls.${one}`)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {t("calls.day")}
          <input type="date" value={day} onInput={(e) => setDay(e.currentTarget.value)} />
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{t(text || day || chosen !== "all" ? "calls.noMatch" : "calls.empty")}</p>
      ) : (
        <table class="calls-table">
          <thead>
            <tr>
              <th scope="col">{t("calls.when")}</th>
              <th scope="col">{t("calls.who")}</th>
              <th scope="col" class="wide-only">{t("calls.rings")}</th>
              <th scope="col" class="wide-only">{t("calls.wait")}</th>
              <th scope="col">{t("calls.talk")}</th>
              <th scope="col" class="wide-only">{t("calls.end")}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((call) => (
              <tr key={call.call_id} class={call.answered_utc ? "" : "missed"}>
                <td>
                  <a href={`#/calls/${encodeURIComponent(call.call_id)}`}>{dateTime(call.started_utc)}</a>
                </td>
                <td>
                  <span class="arrow" title={t(`calls.${call.direction}`)}>
                    <span aria-hidden="true">{call.direction === "incoming" ? "↙" : "↗"}</span>
                    <span class="for-readers">{t(`calls.${call.direction}`)}</span>
                  </span>{" "}
                  {contactOf(call.number)?.name || call.display_name || phone(call.number)}
                </td>
                <td class="wide-only">{number(call.rings_heard)}</td>
                <td class="wide-only">{duration(call.wait_s)}</td>
                <td>{call.state === "live" ? t("calls.live") : call.answered_utc ? duration(call.talk_s) : t("calls.missed")}</td>
                <td class="wide-only">
                  {call.state === "ended" && `${tOr(`calls.by.${call.ended_by}`, call.ended_by)}: ${named("cause", call.cause)}`}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {more && (
        <button type="button" class="more" onClick={() => void older()}>
          {t("app.more")}
        </button>
      )}
    </section>
  );
}

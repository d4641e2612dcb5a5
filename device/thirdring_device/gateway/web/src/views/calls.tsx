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

type Chosen = "all" | "incoming" | "outgoing" | "missed";

function fits(call: CallSummary, chosen: Chosen, search: string): boolean {
  if (chosen === "missed" && call.answered_utc) return false;
  if ((chosen === "incoming" || chosen === "outgoing") && call.direction !== chosen) return false;
  const name = contactOf(call.number)?.name ?? "";
  return !search || `${call.number} ${call.display_name} ${name}`.toLowerCase().includes(search.toLowerCase());
}

function CallList() {
  const [all, setAll] = useState<CallSummary[] | null>(null);
  const [more, setMore] = useState(false);
  const [chosen, setChosen] = useState<Chosen>("all");
  const [search, setSearch] = useState("");

  useEffect(() => {
    const limit = Math.max(PAGE, all?.length ?? 0);
    void attempt(async () => {
      const calls = await api.get<CallSummary[]>("/v1/calls", { limit });
      setAll(calls);
      setMore(calls.length === limit);
    });
  }, [changedCalls.value]);

  async function older() {
    const last = all?.at(-1);
    if (!all || !last) return;
    await attempt(async () => {
      const next = await api.get<CallSummary[]>("/v1/calls", { limit: PAGE, before: last.call_id });
      setAll([...all, ...next]);
      setMore(next.length === PAGE);
    });
  }

  if (!all) return <p class="empty">{t("app.loading")}</p>;
  const shown = all.filter((call) => fits(call, chosen, search.trim()));
  return (
    <section class="card" aria-label={t("calls.list")}>
      <div class="filters" role="search" aria-label={t("calls.filter")}>
        <label>
          {t("calls.search")}
          <input type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        </label>
        <label>
          {t("calls.direction")}
          <select value={chosen} onChange={(e) => setChosen(e.currentTarget.value as Chosen)}>
            {(["all", "incoming", "outgoing", "missed"] as const).map((one) => (
              <option key={one} value={one}>
                {t(`calls.${one}`)}
              </option>
            ))}
          </select>
        </label>
      </div>
      {shown.length === 0 ? (
        <p class="empty">{t(all.length ? "calls.noMatch" : "calls.empty")}</p>
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

import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { callBacks, changedCalls, loadCallBacks } from "../desk";
import { dateTime, phone, t } from "../i18n";
import { attempt } from "../toast";
import type { CallBackView } from "../types";

export function CallBacks() {
  const [showDone, setShowDone] = useState(false);
  const [done, setDone] = useState<CallBackView[]>([]);

  useEffect(() => {
    if (!showDone) return;
    void attempt(async () => setDone(await api.get<CallBackView[]>("/v1/call_backs", { done: true })));
  }, [showDone, changedCalls.value]);

  const rows = showDone ? done : callBacks.value;
  return (
    <section class="card" aria-label={t("calls.callBacks")}>
      <label class="tick">
        <input type="checkbox" checked={showDone} onChange={(e) => setShowDone(e.currentTarget.checked)} />
        {t("callBacks.doneOnes")}
      </label>
      {rows.length === 0 ? (
        <p class="empty">{t("callBacks.empty")}</p>
      ) : (
        <ul class="rows">
          {rows.map((one) => {
            const who = one.name || phone(one.number);
            return (
              <li key={one.call_id}>
                <span>
                  <a href={`#/calls/${encodeURIComponent(one.call_id)}`}>{who}</a>{" "}
                  <small>
                    {t(`callBacks.why.${one.why}`)} ·{" "}
                    {one.due_utc ? t("callBacks.due", { when: dateTime(one.due_utc) }) : t("callBacks.listed", { when: dateTime(one.listed_utc) })}
                  </small>
                  {one.matter && <p class="hint">{one.matter}</p>}
                </span>
                {!showDone && (
                  <span class="row">
                    <button
                      type="button"
                      class="main"
                      aria-label={`${t("callBacks.call")}: ${who}`}
                      onClick={async () => {
                        if (await attempt(() => api.post("/v1/dial", { number: one.number }))) location.hash = "#/desk";
                      }}
                    >
                      {t("callBacks.call")}
                    </button>
                    <button
                      type="button"
                      aria-label={`${t("callBacks.done")}: ${who}`}
                      onClick={async () => {
                        if (await attempt(() => api.post("/v1/call_backs/done", { call_id: one.call_id }))) await loadCallBacks();
                      }}
                    >
                      {t("callBacks.done")}
                    </button>
                  </span>
                )}
              </li>
            );
          })}
        </ul>
      )}
    </section>
  );
}

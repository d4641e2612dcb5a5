import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { t } from "../i18n";
import { save } from "../save";
import { attempt, say } from "../toast";
import type { UnitView } from "../types";

/** For a unit that is not well, or given away: the file for whoever helps, and the factory reset. */
export function Care() {
  const [serial, setSerial] = useState("");
  const [typed, setTyped] = useState("");
  useEffect(() => void attempt(async () => setSerial((await api.get<UnitView>("/v1/unit")).machine.serial_number)), []);

  async function download() {
    const day = new Date().toISOString().slice(0, 10);
    await attempt(async () => save(await api.blob("/v1/support"), `thirdring-support-${day}.tar.gz`));
  }

  async function reset(event: Event) {
    event.preventDefault();
    if (!(await attempt(() => api.post("/v1/factory-reset", { serial_number: typed })))) return;
    setTyped("");
    say(t("care.reset.begun"));
  }

  return (
    <div class="cards">
      <section class="card" aria-labelledby="support-title">
        <h2 id="support-title">{t("care.support")}</h2>
        <p>{t("care.support.hint")}</p>
        <p class="row">
          <button type="button" class="main" onClick={() => void download()}>{t("care.support.do")}</button>
        </p>
      </section>
      <section class="card" aria-labelledby="reset-title">
        <h2 id="reset-title">{t("care.reset")}</h2>
        <p>{t("care.reset.hint")}</p>
        <form onSubmit={reset}>
          <label>
            {t("care.reset.type", { serial })}
            <input type="text" name="serial-number" autocomplete="off" autocapitalize="off" spellcheck={false} value={typed} onInput={(e) => setTyped(e.currentTarget.value)} />
          </label>
          <p class="row">
            <button type="submit" disabled={!serial || typed.trim() !== serial}>{t("care.reset.do")}</button>
          </p>
        </form>
      </section>
    </div>
  );
}

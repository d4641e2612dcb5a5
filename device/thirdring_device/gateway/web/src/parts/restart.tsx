import { signal } from "@preact/signals";

import { api } from "../api";
import { t } from "../i18n";
import { attempt, say } from "../toast";

/** Whether something was kept that counts from the next start on. */
export const restartNeeded = signal(false);

/** The offer to start the engine anew, once it is needed; the appliance refuses it while a call is there. */
export function RestartOffer() {
  if (!restartNeeded.value) return null;

  async function restart() {
    if (!(await attempt(() => api.post("/v1/restart")))) return;
    restartNeeded.value = false;
    say(t("technician.restart.begun"));
  }

  return (
    <section class="card restart" aria-label={t("technician.restart.do")}>
      <p>{t("technician.restart.offer")}</p>
      <div class="row">
        <button type="button" class="main" onClick={() => void restart()}>{t("technician.restart.do")}</button>
        <button type="button" class="quiet" onClick={() => (restartNeeded.value = false)}>{t("technician.restart.later")}</button>
      </div>
    </section>
  );
}

import { useEffect, useState } from "preact/hooks";

import { api, Problem } from "../api";
import { problemText, t } from "../i18n";
import { attempt } from "../toast";
import type { UpdateView } from "../types";

const BUSY = new Set(["waiting", "fetching", "checking", "installing", "restarting", "trial"]);
const LOOK_MS = 2000;

/** What runs, and how to put something newer on the unit; while that is under way, where it is. */
export function Update({ found }: { found: UpdateView }) {
  const [now, setNow] = useState(found);
  const [url, setUrl] = useState("");
  const [file, setFile] = useState<File | null>(null);
  const [wait, setWait] = useState(true);
  const [force, setForce] = useState(false);
  const [sending, setSending] = useState(false);
  const busy = sending || BUSY.has(now.phase);

  useEffect(() => {
    if (!BUSY.has(now.phase)) return undefined;
    // While the unit restarts nobody answers; it is asked again.
    const timer = setTimeout(async () => setNow(await api.get<UpdateView>("/v1/unit/update").catch(() => ({ ...now }))), LOOK_MS);
    return () => clearTimeout(timer);
  }, [now]);

  async function begin(event: Event) {
    event.preventDefault();
    setSending(true);
    await attempt(async () => {
      setNow(
        file
          ? await api.sendFile<UpdateView>(`/v1/unit/update/bundle?force=${force}&wait=${wait}`, file)
          : await api.post<UpdateView>("/v1/unit/update", { url: url.trim(), force, wait }),
      );
    });
    setSending(false);
  }

  return (
    <section class="card" aria-labelledby="update-title">
      <h2 id="update-title">{t("technician.update")}</h2>
      <p class="big">{t("technician.update.running", { version: now.running })}</p>
      <p data-update={now.supported ? "yes" : "no"}>
        {now.supported ? t("technician.update.yes", { slot: now.slot }) : t("technician.update.no")}
      </p>
      {now.phase !== "idle" && (
        <p role="status" data-phase={now.phase} class={`state ${now.phase === "failed" ? "bad" : now.phase === "done" ? "good" : ""}`}>
          {t(`technician.update.phase.${now.phase}`)} {now.version}{" "}
          {now.phase === "failed" && problemText(new Problem(now.code, "", now.detail))}
          {BUSY.has(now.phase) && <progress max={100} value={now.percent} aria-label={t(`technician.update.phase.${now.phase}`)} />}
        </p>
      )}
      {now.supported && !busy && (
        <form onSubmit={(event) => void begin(event)}>
          <label>
            {t("technician.update.url")}
            <input type="url" name="update-url" value={url} pattern="https?://.+" required={!file} onInput={(e) => setUrl(e.currentTarget.value)} />
          </label>
          <label>
            {t("technician.update.file")}
            <input type="file" name="update-file" accept=".raucb" onChange={(e) => setFile(e.currentTarget.files?.[0] ?? null)} />
          </label>
          <label class="check">
            <input type="checkbox" checked={wait} onChange={(e) => setWait(e.currentTarget.checked)} /> {t("technician.update.wait")}
          </label>
          <label class="check">
            <input type="checkbox" checked={force} onChange={(e) => setForce(e.currentTarget.checked)} /> {t("technician.update.force")}
          </label>
          <button type="submit" class="main">{t("technician.update.do")}</button>
        </form>
      )}
      {sending && <p role="status">{t("technician.update.sending")}</p>}
    </section>
  );
}

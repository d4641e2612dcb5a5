import { useEffect, useState } from "preact/hooks";

import { api } from "../api";
import { contactOf, setting } from "../desk";
import { isKey, phone, t } from "../i18n";
import { attempt, say } from "../toast";
import type { NotesView } from "../types";

interface Fields {
  customer: string;
  firm: string;
  post: string;
  matter: string;
  promised: string;
  call_back_utc: string;
  read_back: boolean;
  complaint: boolean;
}

const EMPTY: Fields = {
  customer: "",
  firm: "",
  post: "",
  matter: "",
  promised: "",
  call_back_utc: "",
  read_back: false,
  complaint: false,
};
const drafts = new Map<string, Fields>();

/** `2026-11-22T09:30` in this browser's time, as the input wants it. */
function localInput(utc: string): string {
  if (!utc) return "";
  const at = new Date(utc);
  return new Date(at.getTime() - at.getTimezoneOffset() * 60000).toISOString().slice(0, 16);
}

export function Notes({ callId, caller }: { callId: string; caller: string }) {
  const contact = contactOf(caller);
  const [fields, setFields] = useState<Fields>(EMPTY);

  useEffect(() => {
    const draft = drafts.get(callId);
    if (draft) {
      setFields(draft);
      return;
    }
    const fresh = { ...EMPTY, customer: contact?.name ?? "", firm: contact?.firm ?? "", post: contact?.post ?? "" };
    setFields(fresh);
    api
      .get<NotesView[]>("/v1/notes", { call_id: callId })
      .then(([kept]) => {
        if (!kept || drafts.has(callId)) return;
        const { name, firm, post, matter, promised, read_back, complaint } = kept;
        setFields({
          ...{ customer: name, firm, post, matter, promised, read_back, complaint },
          call_back_utc: localInput(kept.call_back_utc),
        });
      })
      .catch((reason: unknown) => console.warn(String(reason)));
  }, [callId]);

  function change(part: Partial<Fields>) {
    const next = { ...fields, ...part };
    drafts.set(callId, next);
    setFields(next);
  }

  async function save(event: Event) {
    event.preventDefault();
    const due = fields.call_back_utc ? new Date(fields.call_back_utc).toISOString() : "";
    const done = await attempt(() => api.post("/v1/notes", { ...fields, call_id: callId, call_back_utc: due }));
    if (done) {
      drafts.delete(callId);
      say(t("app.saved"));
    }
  }

  const required = setting<string[]>("norms.notes.required", ["name", "matter"]);
  const value = (name: string) => (name === "name" ? fields.customer : ((fields as never)[name] as string));
  const missing = required.filter((name) => !value(name)).map((name) => (isKey(`notes.${name}`) ? t(`notes.${name}` as never) : name));

  const line = (name: "customer" | "firm" | "post", label: "name" | "firm" | "post") => (
    <label>
      {t(`notes.${label}`)}
      <input name={name} maxLength={120} autocomplete="off" value={fields[name]} onInput={(e) => change({ [name]: e.currentTarget.value })} />
    </label>
  );
  const text = (name: "matter" | "promised", rows: number) => (
    <label class="whole">
      {t(`notes.${name}`)}
      <textarea name={name} rows={rows} maxLength={2000} value={fields[name]} onInput={(e) => change({ [name]: e.currentTarget.value })} />
    </label>
  );
  const tick = (name: "read_back" | "complaint", label: "readBack" | "complaint") => (
    <label class="tick">
      <input type="checkbox" name={name} checked={fields[name]} onChange={(e) => change({ [name]: e.currentTarget.checked })} />
      {t(`notes.${label}`)}
    </label>
  );

  return (
    <form class="card notes" aria-labelledby="notes-title" onSubmit={save}>
      <h2 id="notes-title">{t("notes.of", { who: contact?.name || phone(caller) })}</h2>
      <div class="fields">
        {line("customer", "name")}
        {line("firm", "firm")}
        {line("post", "post")}
        <label>
          {t("notes.callBack")}
          <input type="datetime-local" name="call_back_utc" value={fields.call_back_utc} onInput={(e) => change({ call_back_utc: e.currentTarget.value })} />
        </label>
        {text("matter", 3)}
        {text("promised", 2)}
        {tick("read_back", "readBack")}
        {tick("complaint", "complaint")}
      </div>
      <div class="row">
        <button type="submit" class="main">{t("notes.save")}</button>
        {missing.length > 0 && <p class="hint">{t("notes.missing", { fields: missing.join(", ") })}</p>}
      </div>
    </form>
  );
}

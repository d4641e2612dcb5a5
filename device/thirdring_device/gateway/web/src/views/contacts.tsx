import { useRef, useState } from "preact/hooks";

import { api, session } from "../api";
import { contacts, loadContacts } from "../desk";
import { phone, t } from "../i18n";
import { save } from "../save";
import { attempt, say } from "../toast";
import type { ContactView } from "../types";

const EMPTY: ContactView = { number: "", name: "", firm: "", post: "", remark: "", calls: 0, last_call_utc: null };

export function Contacts() {
  const [edited, setEdited] = useState<ContactView | null>(null);
  const [search, setSearch] = useState("");
  const file = useRef<HTMLInputElement>(null);
  const wanted = search.trim().toLowerCase();
  const shown = contacts.value.filter((one) => !wanted || `${one.number} ${one.name} ${one.firm}`.toLowerCase().includes(wanted));

  async function importFile(chosen: File | undefined) {
    if (!chosen) return;
    await attempt(async () => {
      const { saved } = await api.sendCsv<{ saved: number }>("/v1/contacts.csv", await chosen.text());
      await loadContacts();
      say(t("contacts.imported", { count: saved }));
    });
  }

  return (
    <section class="card" aria-label={t("calls.contacts")}>
      <div class="filters">
        <label>
          {t("calls.search")}
          <input type="search" value={search} onInput={(e) => setSearch(e.currentTarget.value)} />
        </label>
        <span class="row">
          <button type="button" class="main" onClick={() => setEdited(EMPTY)}>{t("contacts.add")}</button>
          {session.may("lead") && (
            <>
              <button type="button" onClick={() => file.current?.click()}>{t("contacts.import")}</button>
              <input ref={file} type="file" accept=".csv,text/csv" hidden onChange={(e) => void importFile(e.currentTarget.files?.[0])} />
              <button type="button" onClick={() => void attempt(async () => save(await api.blob("/v1/contacts.csv"), "contacts.csv"))}>
                {t("contacts.export")}
              </button>
            </>
          )}
        </span>
      </div>
      {edited && <Form key={edited.number} contact={edited} close={() => setEdited(null)} />}
      {shown.length === 0 ? (
        <p class="empty">{t("contacts.empty")}</p>
      ) : (
        <ul class="rows">
          {shown.map((one) => (
            <li key={one.number}>
              <span>
                <strong>{one.name}</strong> {[one.firm, one.post].filter(Boolean).join(" · ")}
                <small>
                  {phone(one.number)} · {t("contacts.calls")}: {one.calls}
                </small>
                {one.remark && <p class="hint">{one.remark}</p>}
              </span>
              <span class="row">
                <button
                  type="button"
                  aria-label={`${t("callBacks.call")}: ${one.name}`}
                  onClick={async () => {
                    if (await attempt(() => api.post("/v1/dial", { number: one.number }))) location.hash = "#/desk";
                  }}
                >
                  {t("callBacks.call")}
                </button>
                <button type="button" aria-label={`${t("contacts.edit")}: ${one.name}`} onClick={() => setEdited(one)}>
                  {t("contacts.edit")}
                </button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

function Form({ contact, close }: { contact: ContactView; close: () => void }) {
  const [fields, setFields] = useState(contact);
  const line = (name: "number" | "name" | "firm" | "post" | "remark", label: string, required = false) => (
    <label>
      {label}
      <input
        name={name}
        required={required}
        readOnly={name === "number" && contact.number !== ""}
        autocomplete="off"
        maxLength={name === "remark" ? 2000 : 120}
        value={fields[name]}
        onInput={(e) => setFields({ ...fields, [name]: e.currentTarget.value })}
      />
    </label>
  );

  async function submit(event: Event) {
    event.preventDefault();
    const { number, name, firm, post, remark } = fields;
    const done = await attempt(() => api.post("/v1/contacts", { number, contact: name, firm, post, remark }));
    if (done) {
      await loadContacts();
      close();
    }
  }

  return (
    <form class="panel" aria-label={t(contact.number ? "contacts.edit" : "contacts.add")} onSubmit={submit}>
      <div class="fields">
        {line("number", t("contacts.number"), true)}
        {line("name", t("notes.name"), true)}
        {line("firm", t("notes.firm"))}
        {line("post", t("notes.post"))}
        {line("remark", t("contacts.remark"))}
      </div>
      <div class="row">
        <button type="submit" class="main">{t("app.save")}</button>
        <button type="button" class="quiet" onClick={close}>{t("app.cancel")}</button>
        {contact.number && session.may("lead") && (
          <button
            type="button"
            class="stop"
            onClick={async () => {
              if (await attempt(() => api.post("/v1/contacts/remove", { number: contact.number }))) {
                await loadContacts();
                close();
              }
            }}
          >
            {t("contacts.remove")}
          </button>
        )}
      </div>
    </form>
  );
}

import { useEffect, useLayoutEffect, useState } from "preact/hooks";

import { api } from "../api";
import { nowS } from "../clock";
import { calls, contactOf, contacts, setting } from "../desk";
import { phone, t } from "../i18n";
import { bind, keysOn } from "../keys";
import { type LiveCall, silence_s } from "../live";
import { attempt, say } from "../toast";

const SURE_MS = 4000;

interface Command {
  key: string;
  label: string;
  kind?: "go" | "stop" | "on";
  pressed?: boolean;
  off?: boolean;
  run: () => void;
}

function Buttons({ commands }: { commands: Command[] }) {
  // With the picture and not after it: the key that is shown is the key that counts.
  useLayoutEffect(() => {
    const undo = commands.filter((one) => !one.off).map((one) => bind(one.key, one.run));
    return () => undo.forEach((back) => back());
  });
  return (
    <div class="controls" role="group" aria-label={t("do.label")}>
      {commands.map((one) => (
        <button
          key={one.key}
          type="button"
          class={one.kind}
          data-do={one.key}
          aria-pressed={one.pressed}
          aria-keyshortcuts={keysOn.value ? one.key.toUpperCase() : undefined}
          disabled={one.off}
          onClick={one.run}
        >
          {one.label}
          {keysOn.value && <kbd aria-hidden="true">{one.key.toUpperCase()}</kbd>}
        </button>
      ))}
    </div>
  );
}

export function Controls({ call }: { call: LiveCall }) {
  const [panel, setPanel] = useState<"" | "transfer" | "keypad">("");
  const [sure, setSure] = useState(false);
  const other = calls.value.find((one) => one.id !== call.id);
  const about = { call_id: call.id };
  const post = (path: string, body: unknown = about) => void attempt(() => api.post(path, body));

  useLayoutEffect(() => {
    setPanel("");
    setSure(false);
  }, [call.id, call.state]);
  useEffect(() => {
    if (!sure) return;
    const timer = setTimeout(() => setSure(false), SURE_MS);
    return () => clearTimeout(timer);
  }, [sure]);

  /** The red button asks once while the customer is still there: norm call.release. */
  function hangUp() {
    const released = call.prompts.at(-1)?.key === "silent_hang_up";
    const grace_s = setting("norms.call.release_grace_s", 3);
    const quiet = call.quietSince_s > 0 && silence_s(call, nowS.peek()) >= grace_s;
    if (call.state !== "active" || released || quiet || sure) post("/v1/hangup");
    else setSure(true);
  }

  if (call.state === "ringing") {
    return (
      <Buttons
        commands={[
          { key: "a", label: t("do.answer"), kind: "go", run: () => post("/v1/answer") },
          { key: "e", label: t("do.refuse"), kind: "stop", run: () => post("/v1/hangup") },
        ]}
      />
    );
  }
  if (call.state === "dialling") {
    return <Buttons commands={[{ key: "e", label: t("do.hangup"), kind: "stop", run: () => post("/v1/hangup") }]} />;
  }
  const held = call.heldAt_s !== null;
  const muted = call.mutedAt_s !== null;
  const both = other?.state === "active";
  const commands: Command[] = [
    { key: "e", label: t(sure ? "do.hangup.sure" : "do.hangup"), kind: "stop", run: hangUp },
    { key: "h", label: t(held ? "do.resume" : "do.hold"), pressed: held, run: () => post(held ? "/v1/resume" : "/v1/hold") },
    { key: "m", label: t(muted ? "do.unmute" : "do.mute"), pressed: muted, off: held, run: () => post(muted ? "/v1/unmute" : "/v1/mute") },
    { key: "t", label: t("do.transfer"), pressed: panel === "transfer", run: () => setPanel(panel === "transfer" ? "" : "transfer") },
    { key: "k", label: t("do.keypad"), pressed: panel === "keypad", off: held, run: () => setPanel(panel === "keypad" ? "" : "keypad") },
  ];
  if (both) {
    commands.push({ key: "s", label: t("do.swap"), run: () => post("/v1/swap", {}) });
    commands.push({ key: "c", label: t("do.conference"), off: call.conference, run: () => post("/v1/conference", {}) });
  }
  if (call.recording !== "off") {
    const paused = call.recording === "paused";
    commands.push({
      key: "p",
      label: t(paused ? "do.continue" : "do.pause"),
      pressed: paused,
      run: () => post(paused ? "/v1/recording/resume" : "/v1/recording/pause"),
    });
  }
  return (
    <>
      <Buttons commands={commands} />
      {panel === "transfer" && <Transfer call={call} other={both ? other : undefined} close={() => setPanel("")} />}
      {panel === "keypad" && <Keypad callId={call.id} />}
    </>
  );
}

const MOST_PICKS = 6;

/** To whom: by number, or picked among the contacts that fit what was typed. */
function Transfer({ call, other, close }: { call: LiveCall; other: LiveCall | undefined; close: () => void }) {
  const [target, setTarget] = useState("");
  const [consent, setConsent] = useState(false);
  const wanted = target.trim().toLowerCase();
  const shown = contacts.value
    .filter((one) => one !== contactOf(call.number) && `${one.name} ${one.firm} ${one.post} ${one.number}`.toLowerCase().includes(wanted))
    .slice(0, MOST_PICKS);

  async function go(to: string) {
    const done = await attempt(() => api.post("/v1/transfer", { target: to, call_id: to ? call.id : "", consent }));
    if (done) close();
  }

  return (
    <form
      class="panel"
      aria-label={t("transfer.title")}
      onKeyDown={(pressed) => pressed.key === "Escape" && close()}
      onSubmit={(event) => {
        event.preventDefault();
        // A name that only one contact has stands for its number.
        const [only, ...others] = shown;
        void go(only && !others.length && !/^[+\d*# ]+$/.test(wanted) ? only.number : target.trim());
      }}
    >
      <label>
        {t("transfer.target")}
        <input name="target" required autofocus autocomplete="off" maxLength={64} value={target} onInput={(e) => setTarget(e.currentTarget.value)} />
      </label>
      {shown.length > 0 && (
        <ul class="picks" aria-label={t("transfer.pick")}>
          {shown.map((contact) => (
            <li key={contact.number}>
              <button type="button" aria-pressed={contact.number === target} onClick={() => setTarget(contact.number)}>
                {contact.name || phone(contact.number)}
                <small>{[contact.firm, contact.post, phone(contact.number)].filter(Boolean).join(" · ")}</small>
              </button>
            </li>
          ))}
        </ul>
      )}
      <label class="tick">
        <input type="checkbox" name="consent" checked={consent} onChange={(e) => setConsent(e.currentTarget.checked)} />
        {t("transfer.consent")}
      </label>
      <div class="row">
        <button type="submit" class="main">{t("transfer.do")}</button>
        {other && (
          <button type="button" onClick={() => void go("")}>
            {t("transfer.other")}
          </button>
        )}
        <button type="button" class="quiet" onClick={close}>{t("app.cancel")}</button>
      </div>
    </form>
  );
}

const DIGITS = ["1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "0", "#"];

function Keypad({ callId }: { callId: string }) {
  const [sent, setSent] = useState("");

  useLayoutEffect(() => {
    const undo = DIGITS.map((digit) => bind(digit, () => void press(digit)));
    return () => undo.forEach((back) => back());
  });

  async function press(digit: string) {
    if (await attempt(() => api.post("/v1/dtmf", { digits: digit, call_id: callId }))) setSent((all) => all + digit);
  }

  return (
    <div class="panel keypad" role="group" aria-label={t("keypad.title")}>
      <div class="keys">
        {DIGITS.map((digit) => (
          <button key={digit} type="button" onClick={() => void press(digit)}>
            {digit}
          </button>
        ))}
      </div>
      <p class="hint" role="status">{sent && `${t("keypad.sent")}: ${sent}`}</p>
    </div>
  );
}

/** The field to call somebody from; a reason goes along when it is given. */
export function Dial() {
  const [number, setNumber] = useState("");
  const [reason, setReason] = useState("");

  async function dial(event: Event) {
    event.preventDefault();
    const done = await attempt(() => api.post("/v1/dial", { number: number.trim(), reason }));
    if (done) {
      setNumber("");
      setReason("");
      say("");
    }
  }

  return (
    <form class="dial" onSubmit={dial}>
      <label>
        {t("desk.dial")}
        <input name="number" type="tel" required list="dial-contacts" autocomplete="off" maxLength={64} value={number} onInput={(e) => setNumber(e.currentTarget.value)} />
      </label>
      <datalist id="dial-contacts">
        {contacts.value.map((contact) => (
          <option key={contact.number} value={contact.number}>
            {contact.name} {contact.firm}
          </option>
        ))}
      </datalist>
      <label>
        {t("desk.dial.reason")}
        <input name="reason" autocomplete="off" maxLength={120} value={reason} onInput={(e) => setReason(e.currentTarget.value)} />
      </label>
      <div class="row">
        <button type="submit" class="main">{t("desk.dial.do")}</button>
        <button type="button" onClick={() => void attempt(() => api.post("/v1/redial"))}>{t("desk.redial")}</button>
      </div>
    </form>
  );
}

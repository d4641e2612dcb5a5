import { useEffect } from "preact/hooks";

import { api, session } from "./api";
import { current, desk, online } from "./desk";
import { language, setLanguage, t } from "./i18n";
import { keysOn, switchKeys } from "./keys";
import { route, VIEWS, type View } from "./route";
import { nextTheme, theme } from "./theme";
import { attempt, toast } from "./toast";
import type { AgentState } from "./types";
import { CallsView } from "./views/calls";
import { DeskView } from "./views/desk";
import { SignIn } from "./views/signin";
import { TechnicianView } from "./views/technician";
import { WallView } from "./views/wall";

const CONTENTS: Record<View, () => preact.JSX.Element> = {
  desk: DeskView,
  calls: CallsView,
  wall: WallView,
  technician: TechnicianView,
};
const CHOICES: AgentState[] = ["ready", "break", "away"];

function Switches() {
  return (
    <div class="switches">
      {session.signedIn.value && (
        <button
          type="button"
          class="quiet wide-only"
          aria-pressed={keysOn.value}
          title={t(keysOn.value ? "do.keys.on" : "do.keys.off")}
          onClick={switchKeys}
        >
          <kbd>A</kbd> {t("do.keys")}
        </button>
      )}
      <button
        type="button"
        class="quiet"
        aria-label={t("app.theme.label", { theme: t(`app.theme.${theme.value}`) })}
        title={t("app.theme.label", { theme: t(`app.theme.${theme.value}`) })}
        onClick={nextTheme}
      >
        <span aria-hidden="true">{theme.value === "auto" ? "◐" : theme.value === "light" ? "☀" : "☾"}</span>
      </button>
      <button
        type="button"
        class="quiet"
        lang={language.value === "zh" ? "en" : "zh-CN"}
        aria-label={language.value === "zh" ? "Switch the page to English: English" : "将页面切换为中文：中文"}
        onClick={() => setLanguage(language.value === "zh" ? "en" : "zh")}
      >
        {t("app.language")}
      </button>
      {session.signedIn.value && (
        <button type="button" class="quiet wide-only" onClick={() => void session.signOut()}>
          {t("app.signOut")}
        </button>
      )}
    </div>
  );
}

function States() {
  const state = desk.value;
  if (!state) return null;
  const good = state.trunk === "registered" || state.trunk === "static";
  return (
    <div class="states">
      <span class={`state ${good ? "good" : state.trunk === "registering" ? "soon" : "bad"}`}>{t(`trunk.${state.trunk}`)}</span>
      {state.storage === "full" && <span class="state bad">{t("storage.full")}</span>}
      <label class={`agent-state ${state.agent_state}`}>
        <span class="for-readers">{t("agent.label")}</span>
        <select
          value={state.agent_state}
          onChange={(event) => {
            const chosen = event.currentTarget.value;
            event.currentTarget.value = state.agent_state;
            void attempt(() => api.post("/v1/agent", { state: chosen }));
          }}
        >
          {!CHOICES.includes(state.agent_state) && (
            <option value={state.agent_state}>{t(`agent.${state.agent_state}`)}</option>
          )}
          {CHOICES.map((choice) => (
            <option key={choice} value={choice}>
              {t(`agent.${choice}`)}
            </option>
          ))}
        </select>
      </label>
    </div>
  );
}

export function Shell() {
  const asked = route.value.view;
  const view = asked === "technician" && !session.may("technician") ? "desk" : asked;
  const Contents = CONTENTS[view];
  const rings = current.value?.state === "ringing" ? current.value.rings : 0;
  const title = session.signedIn.value ? t(`view.${view}`) : t("signIn.title");
  useEffect(() => {
    document.title = rings ? `(${rings}) ${t("desk.rings.say", { ring: rings })}` : `${title} · ${t("app.title")}`;
  }, [title, rings, language.value]);
  return (
    <>
      <a class="skip" href="#contents" onClick={(event) => {
        event.preventDefault();
        document.getElementById("contents")?.focus();
      }}>
        {t("app.skip")}
      </a>
      <header>
        <a class="brand" href="#/desk">
          <span class="mark" aria-hidden="true">
            <i /><i /><i />
          </span>
          {t("app.title")}
        </a>
        {session.signedIn.value && (
          <nav aria-label={t("app.views")}>
            {VIEWS.filter((name) => name !== "technician" || session.may("technician")).map((name) => (
              <a key={name} href={`#/${name}`} aria-current={name === view ? "page" : undefined}>
                {t(`view.${name}`)}
              </a>
            ))}
          </nav>
        )}
        {session.signedIn.value && <States />}
        <Switches />
      </header>
      <main id="contents" tabIndex={-1}>
        {session.who.value === undefined ? <p class="empty">{t("app.loading")}</p> : !session.signedIn.value ? <SignIn /> : desk.value ? <Contents /> : <p class="empty">{t("app.loading")}</p>}
      </main>
      <div class="foot" role="status" aria-live="polite">
        {session.signedIn.value && desk.value && !online.value && <p class="toast bad">{t("app.offline")}</p>}
        {toast.value && <p class={`toast ${toast.value.bad ? "bad" : ""}`}>{toast.value.text}</p>}
      </div>
    </>
  );
}

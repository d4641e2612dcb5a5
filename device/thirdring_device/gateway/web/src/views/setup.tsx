import { useEffect } from "preact/hooks";

import { session } from "../api";
import { language, t } from "../i18n";
import { attempt } from "../toast";
import { keep, loadViews, views } from "./setup/apply";
import { CountryStep } from "./setup/country";
import { DoneStep } from "./setup/done";
import { Progress } from "./setup/frame";
import { HeadsetStep } from "./setup/headset";
import { chosen, LanguageStep } from "./setup/language";
import { PasswordStep } from "./setup/password";
import { type Step, step } from "./setup/steps";
import { TrunkStep } from "./setup/trunk";

const CONTENTS: Record<Step, () => preact.JSX.Element> = {
  language: LanguageStep,
  password: PasswordStep,
  trunk: TrunkStep,
  headset: HeadsetStep,
  country: CountryStep,
  done: DoneStep,
};

async function begin(): Promise<void> {
  await loadViews();
  if (!chosen.value) return;
  chosen.value = false;
  await keep({ "firm.language": language.value });
}

/** The set-up of a unit, step by step; each may be left and entered again. */
export function Setup() {
  useEffect(() => void attempt(begin), []);
  const Contents = CONTENTS[step.value];
  const ready = Object.keys(views.value).length > 0;
  return (
    <div class="setup">
      <Progress open={() => true} />
      {ready ? <Contents key={step.value} /> : <p class="card empty">{t("app.loading")}</p>}
    </div>
  );
}

/** Its first two steps, while the first password stands: nothing else is allowed then. */
export function FirstSteps() {
  const shown: Step = step.value === "language" ? "language" : "password";
  useEffect(() => {
    step.value = "language";
  }, []);
  return (
    <div class="setup">
      <h1>{t("technician.setup")}</h1>
      <Progress open={(name) => name === "language" || (name === "password" && session.who.value !== null)} />
      {shown === "language" ? <LanguageStep /> : <PasswordStep />}
    </div>
  );
}

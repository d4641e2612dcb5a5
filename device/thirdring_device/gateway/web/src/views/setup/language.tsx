import { signal } from "@preact/signals";

import { session } from "../../api";
import { type Language, language, setLanguage, t } from "../../i18n";
import { attempt } from "../../toast";
import { keep } from "./apply";
import { Frame } from "./frame";

const LANGUAGES: [Language, string, string][] = [
  ["zh", "zh-CN", "中文"],
  ["en", "en", "English"],
];

/** Whether a language was chosen while the first password stood, and no setting could be kept. */
export const chosen = signal(false);

async function keepLanguage(): Promise<boolean> {
  if (session.signedIn.value) return attempt(() => keep({ "firm.language": language.value }));
  chosen.value = true;
  return true;
}

/** The language of the page, and of the prompts: at once on the page, for the prompts with the next step. */
export function LanguageStep() {
  return (
    <Frame name="language" back={false} next={keepLanguage}>
      <p>{t("setup.language.hint")}</p>
      <fieldset class="choices">
        <legend class="for-readers">{t("setup.language.title")}</legend>
        {LANGUAGES.map(([code, tag, name]) => (
          <label key={code} class="choice" lang={tag}>
            <input type="radio" name="language" value={code} checked={language.value === code} onChange={() => setLanguage(code)} />
            {name}
          </label>
        ))}
      </fieldset>
    </Frame>
  );
}

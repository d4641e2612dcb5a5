import { useEffect } from "preact/hooks";

import { desk, headset } from "../../desk";
import { t } from "../../i18n";
import { attempt } from "../../toast";
import { keep, kept } from "./apply";
import { Frame } from "./frame";

/** What stands now, and how the first call is made. */
export function DoneStep() {
  useEffect(() => void attempt(() => keep({ "firm.set_up": true })), []);
  const trunk = desk.value?.trunk ?? "static";
  const server = kept("trunk.server", "");
  const good = trunk === "registered" || (trunk === "static" && server !== "");
  return (
    <Frame name="done">
      <ul class="stand">
        <li>
          <span class={`state ${good ? "good" : "bad"}`}>{server ? t(`trunk.${trunk}`) : t("setup.done.noTrunk")}</span>
        </li>
        <li>
          <span class={`state ${headset.value?.present ? "good" : "bad"}`}>
            {t(headset.value?.present ? "technician.headset.present" : "technician.headset.lost")}
          </span>
        </li>
      </ul>
      <h3>{t("setup.done.first")}</h3>
      <ol class="how">
        <li>{server ? t("setup.done.call", { user: kept("trunk.user", ""), server }) : t("setup.done.callOnly")}</li>
        <li>{t("setup.done.answer")}</li>
        <li>{t("setup.done.dial")}</li>
        <li>{t("setup.done.people")}</li>
      </ol>
      <p class="row">
        <a class="button main" href="#/desk">{t("setup.done.desk")}</a>
        <a class="button" href="#/technician/access">{t("technician.access")}</a>
      </p>
    </Frame>
  );
}

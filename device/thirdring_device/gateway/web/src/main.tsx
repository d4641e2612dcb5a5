import { effect } from "@preact/signals";
import { render } from "preact";

import { session } from "./api";
import { followDesk } from "./desk";
import { loadWords, tagPage } from "./i18n";
import { followKeys } from "./keys";
import { Shell } from "./shell";
import "./style.css";
import { followTheme } from "./theme";
import { followSetup } from "./views/setup/steps";

const RETRY_MS = 2000;

/** Whoever was signed in before the page was loaded still is. */
function recall(): void {
  session.recall().catch(() => setTimeout(recall, RETRY_MS));
}

followTheme();
followKeys();
effect(tagPage);
loadWords().catch((reason: unknown) => console.warn(reason));
followDesk();
followSetup();
recall();
render(<Shell />, document.getElementById("page") as HTMLElement);

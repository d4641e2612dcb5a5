import { effect } from "@preact/signals";
import { render } from "preact";

import { followDesk } from "./desk";
import { loadWords, tagPage } from "./i18n";
import { followKeys } from "./keys";
import { Shell } from "./shell";
import "./style.css";
import { followTheme } from "./theme";

followTheme();
followKeys();
effect(tagPage);
loadWords().catch((reason: unknown) => console.warn(reason));
followDesk();
render(<Shell />, document.getElementById("page") as HTMLElement);

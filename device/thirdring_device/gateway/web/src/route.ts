/** Which view is shown: the address behind the `#`, such as `#/calls/ID`. */

import { signal } from "@preact/signals";

export const VIEWS = ["desk", "calls", "wall", "technician"] as const;
export type View = (typeof VIEWS)[number];

export interface Route {
  view: View;
  rest: string;
}

function read(): Route {
  const [view = "", rest = ""] = location.hash.replace(/^#\//, "").split("/");
  return { view: VIEWS.find((known) => known === view) ?? "desk", rest: decodeURIComponent(rest) };
}

export const route = signal<Route>(read());

addEventListener("hashchange", () => {
  route.value = read();
});

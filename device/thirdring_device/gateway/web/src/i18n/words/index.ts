/** All words of the page, by view; the type checker finds one that a language lacks. */

import * as calls from "./calls";
import * as care from "./care";
import * as desk from "./desk";
import * as setUp from "./setUp";
import * as shell from "./shell";
import * as technician from "./technician";
import * as wall from "./wall";

export const en = {
  ...shell.en,
  ...desk.en,
  ...calls.en,
  ...wall.en,
  ...technician.en,
  ...setUp.en,
  ...care.en,
};

export type Key = keyof typeof en;

export const zh: Record<Key, string> = {
  ...shell.zh,
  ...desk.zh,
  ...calls.zh,
  ...wall.zh,
  ...technician.zh,
  ...setUp.zh,
  ...care.zh,
};

import type { ComponentChildren } from "preact";
import { useEffect, useRef } from "preact/hooks";

import { type Key, t } from "../../i18n";
import { go, STEPS, type Step, step } from "./steps";

/** Which steps there are, which are done, and which is shown. */
export function Progress({ open }: { open: (step: Step) => boolean }) {
  const at = STEPS.indexOf(step.value);
  return (
    <nav class="steps" aria-label={t("setup.progress", { step: at + 1, steps: STEPS.length })}>
      <ol>
        {STEPS.map((name, place) => (
          <li key={name} class={place < at ? "past" : place === at ? "now" : ""}>
            <button
              type="button"
              class="quiet"
              disabled={!open(name)}
              aria-current={place === at ? "step" : undefined}
              onClick={() => (step.value = name)}
            >
              <span aria-hidden="true">{place + 1}</span> {t(`setup.step.${name}` as Key)}
            </button>
          </li>
        ))}
      </ol>
    </nav>
  );
}

interface FrameProps {
  name: Step;
  children: ComponentChildren;
  /** What "next" does before it goes on; false stays here. */
  next?: () => Promise<boolean>;
  nextLabel?: string;
  busy?: boolean;
  /** Leave this step for later. */
  skip?: boolean;
  back?: boolean;
}

/** One step: its heading takes the focus, so that it is read out; Enter in a field goes on. */
export function Frame({ name, children, next, nextLabel, busy, skip, back = true }: FrameProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), [name]);

  async function submit(event: Event) {
    event.preventDefault();
    if (busy || (next && !(await next()))) return;
    go(1);
  }

  return (
    <form class="card step" aria-labelledby="step-title" data-step={name} onSubmit={submit}>
      <h2 id="step-title" tabIndex={-1} ref={heading}>
        {t(`setup.${name}.title` as Key)}
      </h2>
      {children}
      <div class="row ends">
        {back && (
          <button type="button" disabled={busy} onClick={() => go(-1)}>
            {t("setup.back")}
          </button>
        )}
        {skip && (
          <button type="button" class="quiet" disabled={busy} onClick={() => go(1)}>
            {t("setup.later")}
          </button>
        )}
        {name !== "done" && (
          <button type="submit" class="main" disabled={busy}>
            {nextLabel ?? t("setup.next")}
          </button>
        )}
      </div>
    </form>
  );
}

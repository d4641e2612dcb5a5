import { named, quantity, reasonText, t } from "../i18n";
import type { LiveCall } from "../live";
import type { Verdict } from "../types";

/** Norms that have said something while the call runs, the worst first; the rest keep quiet. */
export function NormMarks({ call }: { call: LiveCall }) {
  const rank = { breached: 0, warned: 1, met: 2 };
  const marks = Object.entries(call.norms).sort(([, a], [, b]) => rank[a.state] - rank[b.state]);
  return (
    <section class="card norms" aria-labelledby="norms-title">
      <h2 id="norms-title">{t("norms.title")}</h2>
      {call.verdicts.length > 0 ? (
        <Verdicts verdicts={call.verdicts} brief />
      ) : marks.length === 0 ? (
        <p class="hint">{t("norms.quiet")}</p>
      ) : (
        <ul class="marks">
          {marks.map(([rule, mark]) => (
            <li key={rule} class={mark.state} data-rule={rule}>
              <span class="sign" aria-hidden="true" />
              <span>{named("rule", rule)}</span>
              <span class="value">
                {mark.value !== null ? quantity(mark.value, mark.unit) : ""}{" "}
                <em>{t(`norms.state.${mark.state}`)}</em>
              </span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}

const RANK = { breached: 0, warned: 1, met: 2, not_applicable: 3 };

/** The verdicts of a call, the worst first; `brief` leaves out those that did not apply. */
export function Verdicts({ verdicts, brief = false }: { verdicts: Verdict[]; brief?: boolean }) {
  const shown = verdicts
    .filter((verdict) => !brief || verdict.verdict !== "not_applicable")
    .sort((a, b) => RANK[a.verdict] - RANK[b.verdict]);
  if (shown.length === 0) return <p class="hint">{named("verdict", "none")}</p>;
  return (
    <ul class="marks">
      {shown.map((verdict) => (
        <li key={verdict.rule} class={verdict.verdict} data-rule={verdict.rule}>
          <span class="sign" aria-hidden="true" />
          <span>
            {named("rule", verdict.rule)}
            {!brief && verdict.reason && <small>{reasonText(verdict.reason)}</small>}
          </span>
          <span class="value">
            {verdict.value !== null && quantity(verdict.value, verdict.unit)}
            {!brief && verdict.value !== null && verdict.threshold !== null && (
              <small>{t("report.limit", { value: quantity(verdict.threshold, verdict.unit) })}</small>
            )}{" "}
            <em>{t(`norms.state.${verdict.verdict}`)}</em>
          </span>
        </li>
      ))}
    </ul>
  );
}

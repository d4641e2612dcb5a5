import { useState } from "preact/hooks";

import { api } from "../api";
import { number, t, tOr } from "../i18n";
import { attempt } from "../toast";
import type { SelfTestItem, SelfTestView } from "../types";

const STATE: Record<SelfTestItem["result"], string> = { ok: "good", warning: "soon", failed: "bad" };

/** Two decimals of small figures, none of large and of whole ones; never a minus before nought. */
function figure(value: number): string {
  const digits = Number.isInteger(value) ? 0 : Math.abs(value) < 10 ? 2 : Math.abs(value) < 100 ? 1 : 0;
  return number(Number(value.toFixed(digits)) + 0, digits);
}

function limits(item: SelfTestItem): string {
  if (item.low !== null && item.high !== null) return t("technician.bounds", { low: number(item.low, item.low % 1 ? 1 : 0), high: number(item.high, item.high % 1 ? 1 : 0) });
  if (item.low !== null) return t("selfTest.atLeast", { value: number(item.low) });
  if (item.high !== null) return t("selfTest.atMost", { value: number(item.high) });
  return t("app.none");
}

/** The self-test: looked at and measured, each measurement with its limits. */
export function SelfTest() {
  const [found, setFound] = useState<SelfTestView | null>(null);
  const [running, setRunning] = useState(false);

  async function run() {
    setRunning(true);
    setFound(null);
    await attempt(async () => setFound(await api.post<SelfTestView>("/v1/selftest")));
    setRunning(false);
  }

  const looked = found?.items.filter((item) => item.value === null) ?? [];
  const measured = found?.items.filter((item) => item.value !== null) ?? [];
  return (
    <section class="card selftest" aria-labelledby="selftest-title">
      <h2 id="selftest-title">{t("selfTest.title")}</h2>
      <p class="hint">{t("selfTest.hint")}</p>
      <p class="row">
        <button type="button" class="main" disabled={running} onClick={() => void run()}>
          {t("selfTest.run")}
        </button>
        <span role="status">
          {running && (
            <>
              <progress aria-label={t("selfTest.running")} /> {t("selfTest.running")}
            </>
          )}
          {found && <strong class={`state ${found.passed ? "good" : "bad"}`}>{t(found.passed ? "selfTest.passed" : "selfTest.failed")}</strong>}
        </span>
      </p>
      {measured.length > 0 && (
        <table class="plain" data-table="measured">
          <caption>{t("selfTest.measured")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("selfTest.what")}</th>
              <th scope="col">{t("selfTest.value")}</th>
              <th scope="col">{t("selfTest.limits")}</th>
              <th scope="col">{t("selfTest.result")}</th>
            </tr>
          </thead>
          <tbody>
            {measured.map((item) => (
              <tr key={item.name} data-item={item.name}>
                <th scope="row">{tOr(`selfTest.${item.name}`, item.name)}</th>
                <td>
                  {figure(item.value ?? 0)} {tOr(`selfTest.unit.${item.unit}`, item.unit)}
                </td>
                <td>{limits(item)}</td>
                <Outcome item={item} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {looked.length > 0 && (
        <table class="plain" data-table="looked">
          <caption>{t("selfTest.looked")}</caption>
          <thead>
            <tr>
              <th scope="col">{t("selfTest.what")}</th>
              <th scope="col">{t("selfTest.finding")}</th>
              <th scope="col">{t("selfTest.result")}</th>
            </tr>
          </thead>
          <tbody>
            {looked.map((item, place) => (
              <tr key={place} data-item={item.name}>
                <th scope="row">{tOr(`selfTest.${item.name}`, item.name)}</th>
                <td lang="en">{item.finding || t("app.none")}</td>
                <Outcome item={item} />
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function Outcome({ item }: { item: SelfTestItem }) {
  return (
    <td>
      <span class={`state ${STATE[item.result]}`}>{t(`selfTest.result.${item.result}`)}</span>
    </td>
  );
}

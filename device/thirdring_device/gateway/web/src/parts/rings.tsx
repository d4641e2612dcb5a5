import { setting } from "../desk";
import { t } from "../i18n";
import type { LiveCall } from "../live";

/** One-two-three, readable across the room; past the last ring the figure that it should not have come to. */
export function Rings({ call }: { call: LiveCall }) {
  const most = setting("norms.answer.max_rings", 3);
  const late = call.rings > most;
  const figures = Array.from({ length: Math.min(most, 5) }, (_, place) => place + 1);
  const advice = late ? "breach" : call.rings >= most ? "urgent" : call.rings >= setting("norms.answer.warn_ring", 2) ? "warn" : "normal";
  return (
    <div class={`rings ${advice}`}>
      <div class="figures" aria-hidden="true">
        {late ? (
          <span class="now" key={call.rings}>{call.rings}</span>
        ) : (
          figures.map((figure) => (
            <span key={figure} class={figure === call.rings ? "now" : figure < call.rings ? "past" : "next"}>
              {figure}
            </span>
          ))
        )}
      </div>
      <p class="advice" role="status" aria-live="assertive" data-ring={call.rings}>
        <strong>{t("desk.rings.say", { ring: call.rings })}</strong>
        {" · "}
        {advice === "normal" ? t("desk.rings.normal", { rings: most }) : t(`desk.rings.${advice}`, { ring: call.rings })}
      </p>
    </div>
  );
}

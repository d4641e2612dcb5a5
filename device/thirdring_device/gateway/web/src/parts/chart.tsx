import { useEffect, useRef } from "preact/hooks";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";

import { colour, dark } from "../theme";

export type Build = (colour: (name: string) => string) => Omit<uPlot.Options, "width" | "height">;

/** A chart as wide as its place; drawn again when the data, the words or the colours change. */
export function Chart({ data, build, height, label, redraw }: { data: uPlot.AlignedData; build: Build; height: number; label: string; redraw: unknown }) {
  const place = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const box = place.current;
    if (!box) return;
    const plot = new uPlot({ ...build(colour), width: box.clientWidth || 300, height }, data, box);
    const watch = new ResizeObserver(() => {
      if (box.clientWidth && box.clientWidth !== plot.width) plot.setSize({ width: box.clientWidth, height });
    });
    watch.observe(box);
    return () => {
      watch.disconnect();
      plot.destroy();
    };
  }, [data, height, redraw, dark.value]);
  return <div class="chart" ref={place} role="img" aria-label={label} />;
}

export function axis(of: (name: string) => string, more: Partial<uPlot.Axis> = {}): uPlot.Axis {
  return {
    stroke: of("soft"),
    grid: { stroke: of("grid"), width: 1 },
    ticks: { stroke: of("grid"), width: 1 },
    font: "12px system-ui, sans-serif",
    ...more,
  };
}

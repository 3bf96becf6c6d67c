/** Lines over time, up to now. What they say now stands beside them as text; the canvas is a picture of it. */
import './chart.css';
import 'uplot/dist/uPlot.min.css';
import { type ReactNode, useId, useLayoutEffect, useRef } from 'react';
import uPlot from 'uplot';
import { duration, timeOfDay } from './figures.ts';

export interface Line {
  name: string;
  /** Custom property of the style sheet: `--production`. */
  colour: string;
  dashed?: boolean;
  values: readonly (number | null)[];
}

interface ChartProps {
  title: string;
  /** Seconds since the epoch, one for each value. */
  times: readonly number[];
  lines: readonly Line[];
  /** How much of the past is shown at most; stays as it is. */
  seconds: number;
  /** Writes a value, with its unit. */
  format: (value: number) => string;
  /** Writes a value at the axis, where there is less room. */
  axisFormat?: (value: number) => string;
  /** The least that the axis goes up to. */
  topMin?: number;
  /** Shares near 1: the axis ends there, and begins below the least of them. */
  nearOne?: boolean;
}

const heightPx = 150;
/** How much of the past is shown at least. */
const secondsMin = 60;
/** Shorter than this nothing is missing: not every second has something to say. */
const gapSecondsMax = 20;
/** Charts of a view show the same moment under the pointer. */
const together = uPlot.sync('time');

export function Chart({ title, times, lines, seconds, format, axisFormat = format, topMin = 0, nearOne = false }: ChartProps): ReactNode {
  const box = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const id = useId();
  // What the chart asks for when it draws, which it does by itself too.
  const latest = useRef({ times, lines, format, axisFormat, seconds, topMin, nearOne });
  useLayoutEffect(() => {
    latest.current = { times, lines, format, axisFormat, seconds, topMin, nearOne };
  });

  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return;
    const colour = (name: string): string => getComputedStyle(element).getPropertyValue(name);
    const wideGaps: uPlot.Series.GapsRefiner = (self, _series, _from, _to, gaps) =>
      gaps.filter(([start, end]) => self.posToVal(end / uPlot.pxRatio, 'x') - self.posToVal(start / uPlot.pxRatio, 'x') > gapSecondsMax);
    const axis = { stroke: () => colour('--quiet'), grid: { stroke: () => colour('--line'), width: 1 }, ticks: { show: false }, font: '11px system-ui, sans-serif' };
    const chart = new uPlot(
      {
        width: element.clientWidth || 300,
        height: heightPx,
        padding: [8, 18, 0, 0],
        legend: { show: false },
        cursor: { sync: { key: together.key }, drag: { x: false, y: false }, points: { size: 6 } },
        scales: {
          x: { range: (_, start, end) => [Math.max(end - latest.current.seconds, Math.min(start, end - secondsMin)), end] },
          y: {
            range: (_, low, high) => {
              const { topMin: least, nearOne: shares } = latest.current;
              if (shares) return [Math.max(0, 1 - Math.max(0.02, (1 - (low ?? 1)) * 1.3)), 1];
              return [0, Math.max(least, (high ?? 0) * 1.1)];
            },
          },
        },
        axes: [
          { ...axis, size: 24, space: 46, values: (_, splits) => splits.map(timeOfDay) },
          { ...axis, size: 58, space: 32, values: (_, splits) => splits.map((value) => latest.current.axisFormat(value)) },
        ],
        series: [
          {},
          ...latest.current.lines.map(({ name, colour: property, dashed }) => ({
            label: name,
            stroke: () => colour(property),
            width: dashed === true ? 1.5 : 2,
            points: { show: false },
            gaps: wideGaps,
            ...(dashed === true ? { dash: [5, 4] } : {}),
          })),
        ],
        hooks: {
          setCursor: [
            (self) => {
              element.parentElement?.querySelectorAll('[data-line]').forEach((place, index) => {
                const line = latest.current.lines[index];
                const at = self.cursor.idx ?? null;
                const value = at === null ? lastOf(line?.values ?? []) : (line?.values[at] ?? null);
                place.textContent = value === null ? '–' : latest.current.format(value);
              });
            },
          ],
        },
      },
      [[...latest.current.times], ...latest.current.lines.map(({ values }) => [...values])],
      element,
    );
    plot.current = chart;
    const size = new ResizeObserver(() => chart.setSize({ width: element.clientWidth, height: heightPx }));
    size.observe(element);
    const theme = new MutationObserver(() => chart.redraw(false));
    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-theme'] });
    return () => {
      size.disconnect();
      theme.disconnect();
      chart.destroy();
      plot.current = null;
    };
    // Values come by the effect below; which lines there are does not change.
  }, []);

  useLayoutEffect(() => {
    plot.current?.setData([[...times], ...lines.map(({ values }) => [...values])]);
  }, [times, lines]);

  const said = lines.map(({ name, values }) => `${name} ${shown(lastOf(values), format)}`).join(', ');
  return (
    <figure className="chart" aria-labelledby={id}>
      <figcaption>
        <h3 id={id}>{title}</h3>
        <div className="legend">
          {lines.map(({ name, colour, dashed, values }) => (
            <span key={name}>
              <span className={dashed === true ? 'swatch dashed' : 'swatch'} style={{ color: `var(${colour})` }} aria-hidden="true" />
              {name} <b data-line={name}>{shown(lastOf(values), format)}</b>
            </span>
          ))}
        </div>
      </figcaption>
      <div ref={box} className="plot" role="img" aria-label={`${title} over the last ${duration(seconds * 1_000)}; now: ${said}`} />
    </figure>
  );
}

function shown(value: number | null, format: (value: number) => string): string {
  return value === null ? '–' : format(value);
}

/** The value of now, or of just before. */
function lastOf(values: readonly (number | null)[]): number | null {
  return values.slice(-gapSecondsMax).findLast((value) => value !== null) ?? null;
}

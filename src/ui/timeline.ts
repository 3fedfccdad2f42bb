/** When attempts were queued and ran, as bars over the time of the run. Places are percentages of the run's time. */
import { html, type Markup } from './html.ts';
import type { Bar } from './run-view.ts';
import { stepMarks } from './state-mark.ts';
import { clockText, durationText, zoneText, type Watch } from './time.ts';

export interface Span {
  readonly from: number;
  readonly to: number;
}

/** The time that the timeline covers: of the run, at least a second. */
export function spanOf(openedAt: number, finishedAt: number | null, now: number): Span {
  return { from: openedAt, to: Math.max(finishedAt ?? now, openedAt + 1000) };
}

export function barsOf(bars: readonly Bar[], span: Span, now: number): Markup {
  return html`<svg class="bars" width="100%" height="18" aria-hidden="true">
    ${bars.map((bar) => barOf(bar, span, now))}
  </svg>`;
}

function barOf(bar: Bar, span: Span, now: number): Markup {
  const end = bar.to ?? Math.max(now, bar.from);
  const ranAt = bar.runningAt ?? end;
  const tone = stepMarks[bar.state].tone;
  const place = (at: number): number => percentOf(at, span);
  const waited = place(ranAt) - place(bar.from);
  const ran = Math.max(0.4, place(end) - place(ranAt));
  return html`<g class=${`tone-${tone}`}>
    ${waited < 0.2 ? null : html`<rect x=${`${place(bar.from)}%`} width=${`${waited}%`} y="7" height="4" class="queued" />`}
    ${bar.runningAt === null ? null : html`<rect x=${`${Math.min(99.6, place(ranAt))}%`} width=${`${ran}%`} y="3" height="12" rx="3" class=${bar.state === 'running' ? 'ran live' : 'ran'} />`}
  </g>`;
}

/** The scale: the clock at the start, then how much later. */
export function axisOf(span: Span, watch: Watch): Markup {
  const ticks = ticksOf(span.to - span.from);
  return html`<svg class="time-axis" width="100%" height="16" aria-hidden="true">
    <text x="0" y="12">${`${clockText(span.from, watch.zone)} ${zoneText(span.from, watch.zone)}`}</text>
    ${ticks.map((ms, at) => {
      const place = percentOf(span.from + ms, span);
      // Where there is little room, the last one stands alone.
      return html`<text x=${`${place}%`} y="12" text-anchor=${place > 85 ? 'end' : 'middle'} class=${at === ticks.length - 1 ? 'last' : 'inner'}>${`+${tickText(ms)}`}</text>`;
    })}
  </svg>`;
}

const stepsMs = [
  100, 200, 500, 1000, 2000, 5000, 10_000, 15_000, 30_000, 60_000, 120_000, 300_000, 600_000, 900_000, 1_800_000,
  3_600_000, 7_200_000, 14_400_000, 21_600_000, 43_200_000, 86_400_000,
];

/** At most three round offsets, none so near the start that it would cover the clock. */
export function ticksOf(spanMs: number): readonly number[] {
  const step = stepsMs.find((ms) => spanMs / ms <= 4) ?? Math.ceil(spanMs / 4 / 86_400_000) * 86_400_000;
  return Array.from({ length: 4 }, (_, at) => (at + 1) * step).filter(
    (ms) => ms >= spanMs * 0.3 && ms <= spanMs * 0.96,
  );
}

function tickText(ms: number): string {
  return durationText(ms)
    .replace(/\.0 s$/, ' s')
    .replace(/ (?:0 s|0 min|0 h)$/, '');
}

function percentOf(at: number, span: Span): number {
  const share = ((at - span.from) / (span.to - span.from)) * 100;
  return Math.round(Math.min(100, Math.max(0, share)) * 100) / 100;
}

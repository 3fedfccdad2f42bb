/**
 * The interval of a gain as a picture: the champion at zero, the gate where the rule draws it, the interval between its
 * ends. Places are percentages, so that it fills any width and its text keeps its size. Nobody measures text on the
 * server, so labels keep apart by their order: each has a row of its own, and lines stay within the plot, where no
 * label is.
 *
 *   −0.1010                                       the gain
 *   −0.1104 to −0.0916                            its interval
 *                                 gate +0.0050
 *   ├──●──┤                      │  ┆ zone        the plot
 *                           champion v1
 */
import type { Verdict } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';
import { gainText, percentText } from './number-text.ts';

type Difference = NonNullable<Verdict['difference']>;

/** The narrowest plot for which the labels are made, in CSS pixels: that of a phone of 320. */
export const chartWidthMin = 250;
/** Where lines are drawn; labels stand above and below. */
export const plotRows = { top: 56, bottom: 108 } as const;

const chartHeight = 128;
const barAt = 82;
/** Air beside the outermost mark. */
const marginPercent = 8;

/** Where each mark stands, in percent of the width; null where a number is not finite. */
export function chartPlaces(
  difference: Difference,
  required: number,
): Readonly<Record<'zero' | 'gate' | 'low' | 'value' | 'high', number>> | null {
  const { low, value, high } = difference;
  const points = [0, required, low, value, high];
  if (!points.every(Number.isFinite)) return null;
  const least = Math.min(...points);
  const span = Math.max(...points) - least;
  const place = (point: number): number =>
    Math.round((marginPercent + (span === 0 ? 0.5 : (point - least) / span) * (100 - 2 * marginPercent)) * 100) / 100;
  return { zero: place(0), gate: place(required), low: place(low), value: place(value), high: place(high) };
}

export interface ChartLabel {
  readonly text: string;
  readonly look: 'value' | 'label' | 'gate-label';
  /** In percent of the width. */
  readonly place: number;
  /** Pixels to the right of its place; mostly negative. */
  readonly shift: number;
  /** Its base line. */
  readonly y: number;
}

/** A label leans to the side where there is room: at the left edge it begins at its place, at the right it ends there. */
export function chartLabels(difference: Difference, required: number, champion: string): readonly ChartLabel[] {
  const places = chartPlaces(difference, required);
  if (places === null) return [];
  const merged = places.zero === places.gate;
  const label = (text: string, look: ChartLabel['look'], place: number, y: number): ChartLabel => {
    const width = text.length * (look === 'value' ? boldCharacterWidth : characterWidth);
    return { text, look, place, shift: -Math.round((place / 100) * width), y };
  };
  return [
    label(shortGain(difference.value), 'value', places.value, 14),
    label(`${shortGain(difference.low)} to ${shortGain(difference.high)}`, 'label', places.value, 32),
    ...(merged ? [] : [label(`gate ${shortGain(required)}`, 'gate-label', places.gate, 50)]),
    label(merged ? withGate(champion, required) : champion, 'label', places.zero, 124),
  ];
}

/** Where the gate is the champion itself, or too near to be drawn apart. */
function withGate(champion: string, required: number): string {
  return required === 0 ? `${champion} = gate` : `${champion}, gate ${shortGain(required)}`;
}

/** At least what a character takes on average in the widest of the fonts of the pages, at 12 and, bold, at 14 pixels. */
const characterWidth = 7.6;
const boldCharacterWidth = 10;

/** No number is longer than ten characters. */
function shortGain(value: number): string {
  const text = gainText(value);
  if (text.length <= 10) return text;
  return `${value > 0 ? '+' : '−'}${Math.abs(value).toExponential(2).replace('e+', 'e')}`;
}

export function intervalChart(verdict: Verdict, championVersion: number | null, tone: string): Markup {
  const { difference, required } = verdict;
  const places = difference === null ? null : chartPlaces(difference, required);
  if (difference === null || places === null) return null;
  const { zero, gate, low, value, high } = places;
  const champion = championVersion === null ? 'champion' : `champion v${championVersion}`;
  const { top, bottom } = plotRows;
  const percent = (at: number): string => `${at}%`;
  return html`<svg
    class=${`interval tone-${tone}`}
    width="100%"
    height=${chartHeight}
    role="img"
    aria-label=${chartSentence(verdict, champion)}>
    <rect x=${percent(gate)} y=${top} width=${percent(100 - gate)} height=${bottom - 2 - top} class="zone" />
    <line x1="0" x2="100%" y1=${bottom - 2} y2=${bottom - 2} class="axis" />
    <line x1=${percent(zero)} x2=${percent(zero)} y1=${top} y2=${bottom} class="zero" />
    ${zero === gate ? null : html`<line x1=${percent(gate)} x2=${percent(gate)} y1=${top} y2=${bottom - 2} class="gate" />`}
    <line x1=${percent(low)} x2=${percent(high)} y1=${barAt} y2=${barAt} class="bar" />
    <line x1=${percent(low)} x2=${percent(low)} y1=${barAt - 8} y2=${barAt + 8} class="end" />
    <line x1=${percent(high)} x2=${percent(high)} y1=${barAt - 8} y2=${barAt + 8} class="end" />
    <circle cx=${percent(value)} cy=${barAt} r="6" class="point" />
    ${chartLabels(difference, required, champion).map(
      (label) =>
        html`<text x=${percent(label.place)} y=${label.y} dx=${label.shift} class=${label.look}>${label.text}</text>`,
    )}
  </svg>`;
}

function chartSentence({ metric, difference, required }: Verdict, champion: string): string {
  if (difference === null) return '';
  return `Gain in ${metric} over the ${champion}: ${gainText(difference.value)}, ${percentText(difference.confidence)} % interval ${gainText(difference.low)} to ${gainText(difference.high)}; the gate asks for ${gainText(required)}.`;
}

/**
 * The interval of a gain as a picture: the champion at zero, the gate where the rule draws it, the interval between its
 * ends. Places are percentages, so that it fills any width and its text keeps its size.
 */
import type { Verdict } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';
import { gainText, percentText } from './number-text.ts';

type Difference = NonNullable<Verdict['difference']>;

/** Room at either side for the labels. */
const marginPercent = 20;

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

export function intervalChart(verdict: Verdict, championVersion: number | null, tone: string): Markup {
  const { difference, required } = verdict;
  const places = difference === null ? null : chartPlaces(difference, required);
  if (difference === null || places === null) return null;
  const { zero, gate, low, value, high } = places;
  const champion = championVersion === null ? 'champion' : `champion v${championVersion}`;
  const merged = required === 0;
  const gateRight = gate >= zero;
  const percent = (at: number): string => `${at}%`;
  return html`<svg
    class=${`interval tone-${tone}`}
    width="100%"
    height="128"
    role="img"
    aria-label=${chartSentence(verdict, champion)}>
    <rect x=${percent(gate)} y="26" width=${percent(100 - gate)} height="72" class="zone" />
    <line x1="0" x2="100%" y1="98" y2="98" class="axis" />
    <line x1=${percent(zero)} x2=${percent(zero)} y1="26" y2="104" class="zero" />
    <text x=${percent(zero)} y="120" text-anchor="middle" class="label">
      ${merged ? `${champion} = gate` : champion}
    </text>
    ${merged ? null : html`<line x1=${percent(gate)} x2=${percent(gate)} y1="20" y2="98" class="gate" />`}
    ${merged ? null : html`<text x=${percent(gate)} y="13" text-anchor=${gateRight ? 'start' : 'end'} dx=${gateRight ? -4 : 4} class="label gate-label">${`gate ${gainText(required)}`}</text>`}
    <line x1=${percent(low)} x2=${percent(high)} y1="62" y2="62" class="bar" />
    <line x1=${percent(low)} x2=${percent(low)} y1="54" y2="70" class="end" />
    <line x1=${percent(high)} x2=${percent(high)} y1="54" y2="70" class="end" />
    <circle cx=${percent(value)} cy="62" r="6" class="point" />
    <text x=${percent(value)} y="46" text-anchor="middle" class="value">${gainText(difference.value)}</text>
    <text x=${percent(low)} y="87" text-anchor="end" dx="4" class="label">${gainText(difference.low)}</text>
    <text x=${percent(high)} y="87" text-anchor="start" dx="-4" class="label">${gainText(difference.high)}</text>
  </svg>`;
}

function chartSentence({ metric, difference, required }: Verdict, champion: string): string {
  if (difference === null) return '';
  return `Gain in ${metric} over the ${champion}: ${gainText(difference.value)}, ${percentText(difference.confidence)} % interval ${gainText(difference.low)} to ${gainText(difference.high)}; the gate asks for ${gainText(required)}.`;
}

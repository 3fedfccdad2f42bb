/**
 * Every state has a shape, a word and a colour, and no two share shape and word: whoever sees no colour, or no picture,
 * reads the same. The colours are the tones of `style.css`.
 */
import type { RunState, StepState } from '../engine/event.ts';
import type { VerdictKind } from '../verdict/verdict.ts';
import { html, type Markup } from './html.ts';

export type Tone = 'good' | 'bad' | 'busy' | 'warn' | 'idle';

export interface Mark {
  readonly word: string;
  readonly tone: Tone;
  readonly shape: Shape;
}

const shapes = {
  'disc-check': html`<circle cx="8" cy="8" r="7.25" class="fill" /><path d="M4.9 8.3l2.2 2.2 4.1-4.6" class="cut" />`,
  'square-cross': html`<rect x="1" y="1" width="14" height="14" rx="3.5" class="fill" /><path
      d="M5.4 5.4l5.2 5.2M10.6 5.4l-5.2 5.2"
      class="cut"
    />`,
  'half-disc': html`<circle cx="8" cy="8" r="6.5" class="line" /><path
      d="M8 3.6a4.4 4.4 0 0 1 0 8.8z"
      class="fill turn"
    />`,
  'ring-stop': html`<circle cx="8" cy="8" r="6.5" class="line" /><rect
      x="5.6"
      y="5.6"
      width="4.8"
      height="4.8"
      rx="1"
      class="fill"
    />`,
  'ring-dot': html`<circle cx="8" cy="8" r="6.5" class="line" /><circle cx="8" cy="8" r="2" class="fill" />`,
  ring: html`<circle cx="8" cy="8" r="6.5" class="line" />`,
  'dashed-ring': html`<circle cx="8" cy="8" r="6.5" class="line" stroke-dasharray="2.3 2.2" />`,
  chevrons: html`<path d="M3.4 3.8L7.6 8l-4.2 4.2M8.4 3.8L12.6 8l-4.2 4.2" class="line" />`,
  'ring-slash': html`<circle cx="8" cy="8" r="6.5" class="line" /><path d="M3.6 12.4l8.8-8.8" class="line" />`,
  warning: html`<path d="M8 1.9l6.5 11.6h-13z" class="line" /><path d="M8 6.4v3.2M8 11.6v.1" class="line" />`,
  'turn-arrow': html`<path d="M13.6 8a5.6 5.6 0 1 1-1.7-4" class="line" /><path d="M12.4 1.2v3.2H9.2" class="line" />`,
  clock: html`<circle cx="8" cy="8" r="6.5" class="line" /><path d="M8 4.4V8l2.5 1.6" class="line" />`,
  sheets: html`<rect x="5.25" y="5.25" width="9" height="9" rx="2" class="line" /><path
      d="M10.9 2.6A1.9 1.9 0 0 0 9.2 1.75H3.6A1.9 1.9 0 0 0 1.75 3.6v5.6a1.9 1.9 0 0 0 .9 1.7"
      class="line"
    />`,
  diamond: html`<path d="M8 1.6L14.4 8 8 14.4 1.6 8z" class="line" />`,
  'square-dash': html`<rect x="1.75" y="1.75" width="12.5" height="12.5" rx="3" class="line" /><path
      d="M5 8h6"
      class="line"
    />`,
  'disc-up': html`<circle cx="8" cy="8" r="7.25" class="fill" /><path d="M8 11.6V4.8M5 7.6l3-3 3 3" class="cut" />`,
  'square-down': html`<rect x="1" y="1" width="14" height="14" rx="3.5" class="fill" /><path
      d="M8 4.4v6.8M5 8.4l3 3 3-3"
      class="cut"
    />`,
  'ring-wave': html`<circle cx="8" cy="8" r="6.5" class="line" /><path
      d="M4.6 9c1.1-2 2.3-2 3.4-1s2.3 1 3.4-1"
      class="line"
    />`,
  flag: html`<path d="M3.5 14.5v-13M3.5 2.5h9l-2.4 3 2.4 3h-9" class="line" />`,
  'triangle-down': html`<path d="M8 14.1L1.5 2.5h13z" class="line" /><path d="M8 5.4v4.2" class="line" />`,
} as const satisfies Record<string, Markup>;

export type Shape = keyof typeof shapes;

export const stepMarks: Readonly<Record<StepState, Mark>> = {
  none: { word: 'waiting', tone: 'idle', shape: 'dashed-ring' },
  scheduled: { word: 'scheduled', tone: 'idle', shape: 'ring' },
  queued: { word: 'queued', tone: 'busy', shape: 'ring-dot' },
  running: { word: 'running', tone: 'busy', shape: 'half-disc' },
  success: { word: 'passed', tone: 'good', shape: 'disc-check' },
  failed: { word: 'failed', tone: 'bad', shape: 'square-cross' },
  skipped: { word: 'skipped', tone: 'idle', shape: 'chevrons' },
  upstream_failed: { word: 'upstream failed', tone: 'warn', shape: 'warning' },
  up_for_retry: { word: 'retrying soon', tone: 'warn', shape: 'turn-arrow' },
  deferred: { word: 'waits to go on', tone: 'busy', shape: 'diamond' },
  removed: { word: 'removed', tone: 'idle', shape: 'square-dash' },
  cancelled: { word: 'cancelled', tone: 'idle', shape: 'ring-slash' },
};

/** Beside the state of a step whose outputs come from an earlier run. */
export const reusedMark: Mark = { word: 'reused', tone: 'idle', shape: 'sheets' };

const cachedMark: Mark = { word: 'from cache', tone: 'idle', shape: 'sheets' };

/** Where what a step gave was not made in this run; else null. */
export function originMarkOf(step: { readonly reusedFrom: string | null; readonly fromCache: boolean }): Mark | null {
  if (step.reusedFrom !== null) return reusedMark;
  return step.fromCache ? cachedMark : null;
}

export const runMarks: Readonly<Record<RunState, Mark>> = {
  running: stepMarks.running,
  cancelling: { word: 'cancelling', tone: 'warn', shape: 'ring-stop' },
  success: stepMarks.success,
  failed: stepMarks.failed,
  cancelled: stepMarks.cancelled,
};

/** Of a run whose steps went well and whose model is refused: red, as its commit status is. */
const refusedMarks: Readonly<Record<VerdictKind, Mark | null>> = {
  worse: { word: 'passed · not promoted: worse', tone: 'bad', shape: 'square-down' },
  'below-threshold': { word: 'passed · not promoted: below threshold', tone: 'bad', shape: 'triangle-down' },
  better: null,
  inconclusive: null,
  'no-champion': null,
};

/** A run's state, and beside it what refused its model. */
export function runMarkOf(state: RunState, refused: VerdictKind | null): Mark {
  const mark = state === 'success' && refused !== null ? refusedMarks[refused] : null;
  return mark ?? runMarks[state];
}

export const verdictMarks: Readonly<Record<VerdictKind, Mark>> = {
  better: { word: 'The challenger is better', tone: 'good', shape: 'disc-up' },
  worse: { word: 'The challenger is worse', tone: 'bad', shape: 'square-down' },
  inconclusive: { word: 'No difference is proven', tone: 'idle', shape: 'ring-wave' },
  'no-champion': { word: 'The first champion', tone: 'good', shape: 'flag' },
  'below-threshold': { word: 'Below the threshold', tone: 'warn', shape: 'triangle-down' },
};

export const verdictKinds = [
  'better',
  'worse',
  'inconclusive',
  'no-champion',
  'below-threshold',
] as const satisfies readonly VerdictKind[];

/** The shape alone, for beside a word; hidden from readers of the text. */
export function shapeOf(mark: Mark): Markup {
  return html`<svg class=${`mark tone-${mark.tone}`} viewBox="0 0 16 16" width="16" height="16" aria-hidden="true">
    ${shapes[mark.shape]}
  </svg>`;
}

/** The shape's parts, for inside of another picture. */
export function shapeParts(mark: Mark): Markup {
  return shapes[mark.shape];
}

/** Shape and word. */
export function markOf(mark: Mark): Markup {
  return html`<span class=${`state tone-${mark.tone}`}>${shapeOf(mark)}<span class="word">${mark.word}</span></span>`;
}

/** The shape where the word stands elsewhere in sight only for some: named for those who hear the page. */
export function namedShapeOf(mark: Mark): Markup {
  return html`<svg
    class=${`mark tone-${mark.tone}`}
    viewBox="0 0 16 16"
    width="16"
    height="16"
    role="img"
    aria-label=${mark.word}>
    <title>${mark.word}</title>
    ${shapes[mark.shape]}
  </svg>`;
}

/** Words on a terminal: colour only where it is one (and NO_COLOR is not set), and nothing in them that could steer it. */
import { stripVTControlCharacters, styleText } from 'node:util';
import type { RunOutcome } from '../conductor/reports/outcome.ts';
import type { StepState } from '../engine/event.ts';

type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold';

/** `styleText` looks at the stream, NO_COLOR and FORCE_COLOR by itself. */
export function paint(colour: Colour, text: string, stream: NodeJS.WritableStream = process.stdout): string {
  return styleText(colour, text, { stream });
}

const marks: Readonly<Record<StepState | RunOutcome, readonly [mark: string, colour: Colour]>> = {
  none: ['·', 'gray'],
  scheduled: ['○', 'gray'],
  queued: ['○', 'gray'],
  running: ['▶', 'cyan'],
  success: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['–', 'gray'],
  upstream_failed: ['⊘', 'red'],
  up_for_retry: ['↻', 'yellow'],
  deferred: ['◷', 'cyan'],
  removed: ['–', 'gray'],
  cancelled: ['■', 'yellow'],
  cancelling: ['■', 'yellow'],
  refused: ['✗', 'red'],
};

/** A shape, a colour and, by the caller, a word for each state. */
export function markOf(state: StepState | RunOutcome, stream: NodeJS.WritableStream = process.stdout): string {
  const [mark, colour] = marks[state];
  return paint(colour, mark, stream);
}

/** Text of users and logs for a terminal: no escape sequences, no control characters but tab and newline, nothing that turns the direction. */
export function harmless(text: string): string {
  return stripVTControlCharacters(text).replaceAll(/(?![\t\n])[\p{Cc}\p{Bidi_Control}]/gu, '');
}

/** The same on one line. */
export function oneLine(text: string): string {
  return harmless(text).replaceAll(/\s+/g, ' ').trim();
}

/** Words on a terminal: colour only where it is one (and NO_COLOR is not set), and nothing in them that could steer it. */
import { stripVTControlCharacters, styleText } from 'node:util';
import type { RunState, StepState } from '../engine/event.ts';

type Colour = 'green' | 'red' | 'yellow' | 'cyan' | 'gray' | 'bold';

/** `styleText` looks at the stream, NO_COLOR and FORCE_COLOR by itself. */
export function paint(colour: Colour, text: string, stream: NodeJS.WriteStream = process.stdout): string {
  return styleText(colour, text, { stream });
}

const marks: Readonly<Record<StepState | RunState, readonly [mark: string, colour: Colour]>> = {
  none: ['·', 'gray'],
  scheduled: ['○', 'gray'],
  queued: ['○', 'gray'],
  running: ['▶', 'cyan'],
  success: ['✓', 'green'],
  failed: ['✗', 'red'],
  skipped: ['–', 'gray'],
  upstream_failed: ['⊘', 'red'],
  up_for_retry: ['↻', 'yellow'],
  up_for_reschedule: ['◷', 'cyan'],
  deferred: ['◷', 'cyan'],
  removed: ['–', 'gray'],
  cancelled: ['■', 'yellow'],
  cancelling: ['■', 'yellow'],
};

/** A shape, a colour and, by the caller, a word for each state. */
export function markOf(state: StepState | RunState): string {
  const [mark, colour] = marks[state];
  return paint(colour, mark);
}

/** Text of users and logs for a terminal: no escape sequences, no control characters but tab. */
export function harmless(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  return stripVTControlCharacters(text).replaceAll(
    /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g,
    '',
  );
}

/** A value that a function returned as the output of its attempt. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { RunnerResult } from '../src/executor/executor.ts';
import { lengthsOf } from '../src/outputs/lengths.ts';
import { canonicalJson, isTooDeep, jsonLevelsMax, type Json } from '../src/std/json.ts';
import { messageOfError } from '../src/std/error-message.ts';

/** What travels in a message; more goes through a file in the scratch directory. */
const messageBytesMax = 48 * 1024;

type Control = Extract<RunnerResult, { kind: 'succeeded' }>['control'];

/** The outcome with `value` as its output, or the failure that it is no JSON. */
export function succeeded(value: unknown, control: Control, scratch: string): RunnerResult {
  let text: string;
  let output: Json;
  try {
    // The way that JSON.stringify sees it: dates become text, `undefined` fields fall away.
    output = value === undefined ? null : JSON.parse(JSON.stringify(value) ?? 'null');
    if (isTooDeep(output)) throw new RangeError(`it is nested deeper than ${jsonLevelsMax} levels`);
    text = canonicalJson(output);
  } catch (error) {
    const why = messageOfError(error);
    return {
      kind: 'failed',
      cause: 'output',
      message: `what the function returned is no JSON: ${why.split('\n')[0]}`,
      exitCode: null,
    };
  }
  if (Buffer.byteLength(text) <= messageBytesMax) return { kind: 'succeeded', output: { inline: output }, control };
  const file = join(scratch, '.output.json');
  writeFileSync(file, text);
  return { kind: 'succeeded', output: { file, lengths: lengthsOf(output) }, control };
}

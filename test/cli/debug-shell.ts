/** What is typed into the shell of `contender debug`, here and in a pod. */
import assert from 'node:assert/strict';
import type { Running } from './sandbox.ts';

/** Looks around, ends a command by Ctrl-C, and leaves with the code 7; gives what was written. `prompt`: that of the shell. */
export async function typeIntoShell(looking: Running, prompt: RegExp): Promise<string> {
  const type = (text: string): void => void looking.child.stdin?.write(text);
  await looking.until(prompt);
  // What says that it has begun is what Ctrl-C is to end: between two commands it is the shell's own.
  type('cat notes.txt; echo "$PASSWORD $CONTENDER_STEP"; sh -c "echo begun; exec sleep 600"\n');
  await looking.until(/^begun\r/m);
  type('\u0003');
  // What is typed before that, it throws away.
  await looking.until(/\^C[^]*[$#] /);
  type('echo "still here"; exit 7\n');
  await looking.until(/still here\r/);
  const { status, out } = await looking.ended;
  assert.equal(status, 1, out);
  assert.match(out, /^as it was\r+\ncorrect horse count\r/m);
  return out;
}

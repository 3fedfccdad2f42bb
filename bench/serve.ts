/** The other side of a conversation: what a program in JavaScript does with each line that it is asked. */
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Answer, Workload } from './subject.ts';

const answersDescriptor = 3;

/** Says that it is ready, and answers until nobody asks any more. `carryOut` gives milliseconds. */
export async function serve<Request>(
  parse: (line: string) => Request,
  carryOut: (request: Request) => Promise<number>,
): Promise<void> {
  const answer = (given: Answer): void => void writeSync(answersDescriptor, `${JSON.stringify(given)}\n`);
  answer({ ms: 0 });
  for await (const line of createInterface({ input: process.stdin })) {
    try {
      answer({ ms: await carryOut(parse(line)) });
    } catch (error) {
      answer({ error: error instanceof Error ? (error.stack ?? error.message) : String(error) });
    }
  }
}

/** What subjects are asked, as they write it. */
export function parseWorkload(line: string): Workload {
  return JSON.parse(line) as Workload;
}

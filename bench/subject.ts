/**
 * Who does the workloads: Contender or a peer, each in processes of its own, so that what it takes can be told from what
 * the measuring takes. A program among them is asked by lines of JSON on its standard input and answers on descriptor 3,
 * where nothing that a library prints can get in between.
 */
import type { ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import { unreachable } from '../src/std/unreachable.ts';

export type Workload =
  | { readonly shape: 'chain'; readonly steps: number }
  /** `steps` side by side, between a first and a last one. */
  | { readonly shape: 'fan'; readonly steps: number }
  /** Runs of `steps` in a row, all asked for at once. */
  | { readonly shape: 'burst'; readonly runs: number; readonly steps: number }
  /** A run of one step. */
  | { readonly shape: 'trigger' };

export interface Subject {
  /** The first process of each tree that carries the workloads out, its database's among them. */
  readonly roots: readonly number[];
  /** Milliseconds from the request to the end of all runs; of a trigger, to the beginning of its step. */
  run(workload: Workload): Promise<number>;
}

export function stepsOf(workload: Workload): number {
  switch (workload.shape) {
    case 'chain':
      return workload.steps;
    case 'fan':
      return workload.steps + 2;
    case 'burst':
      return workload.runs * workload.steps;
    case 'trigger':
      return 1;
    default:
      return unreachable(workload);
  }
}

export function nameOf(workload: Workload): string {
  switch (workload.shape) {
    case 'chain':
    case 'fan':
      return `${workload.shape}-${workload.steps}`;
    case 'burst':
      return `burst-${workload.runs}x${workload.steps}`;
    case 'trigger':
      return 'trigger';
    default:
      return unreachable(workload);
  }
}

/** What a program answers: milliseconds, or what went wrong. The first answer, before any request, is 0: ready. */
export type Answer = { readonly ms: number } | { readonly error: string };

export interface Program {
  ask(request: object): Promise<number>;
}

/** Resolves when it is ready. `log` gives what it printed, for errors. */
export async function converse(child: ChildProcess, log: () => string): Promise<Program> {
  const [input, answers] = [child.stdin, child.stdio[3]];
  if (input === null || !(answers instanceof Readable)) throw new Error('the program was started without its pipes');
  const lines = createInterface({ input: answers })[Symbol.asyncIterator]();
  const next = async (): Promise<number> => {
    const line = await lines.next();
    if (line.done === true) throw new Error(`the program ended:\n${log()}`);
    // The other side writes this type: our own programs.
    const answer = JSON.parse(line.value) as Answer;
    if ('error' in answer) throw new Error(`${answer.error}\n${log()}`);
    return answer.ms;
  };
  // A program that died is noticed by its answers.
  input.on('error', () => undefined);
  await next();
  return {
    ask(request) {
      input.write(`${JSON.stringify(request)}\n`);
      return next();
    },
  };
}

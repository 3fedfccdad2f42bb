/** An attempt of the runner without an executor: what it says and keeps is kept here. */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import type { Attempt } from '../../runner/attempt.ts';
import type { RunnerTask } from '../../src/executor/executor.ts';
import { command, specOf } from '../executor/workshop.ts';

export interface AttemptOnPaper extends Attempt {
  readonly folder: string;
  readonly said: string[];
  readonly kept: Map<string, string>;
  file(name: string, text: string | Uint8Array): string;
  [Symbol.dispose](): void;
}

export function attemptOnPaper(work: RunnerTask['work']): AttemptOnPaper {
  const folder = mkdtempSync(join(tmpdir(), 'runner-'));
  const spec = specOf(command('true'));
  const said: string[] = [];
  const kept = new Map<string, string>();
  return {
    folder,
    said,
    kept,
    task: {
      attemptId: spec.attemptId,
      sourceTree: folder,
      nodeModules: null,
      scratch: folder,
      checkpoint: null,
      environment: {},
      context: spec.context,
      work,
      lists: [],
      endMark: '',
    },
    signal: new AbortController().signal,
    spoil() {},
    say: (line) => void said.push(line),
    keeper: {
      async keep(path, name) {
        const bytes = readFileSync(path);
        kept.set(name, bytes.toString());
        return {
          $artifact: createHash('sha256').update(bytes).digest('hex'),
          name: basename(name),
          bytes: bytes.length,
        };
      },
      answer() {},
    },
    file(name, text) {
      writeFileSync(join(folder, name), text);
      return join(folder, name);
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/**
 * Carries out one step that is no command, for somebody who looks at it: `once TASK`, a file with the task. Nothing is kept
 * anywhere. What the step prints goes to the terminal, and how it ended is the last line, as JSON.
 */
import { readFileSync, statSync } from 'node:fs';
import { inspect } from 'node:util';
import type { RunnerTask } from '../src/executor/executor.ts';
import { carryOut } from './carry-out.ts';
import type { Keeper } from './keeper.ts';

const [, , file] = process.argv;
if (file === undefined) {
  process.stderr.write('This program is given the file of a task: it is started by `sh step.sh`.\n');
  process.exit(2);
}
// Written by us, for this program.
const written = JSON.parse(readFileSync(file, 'utf8')) as RunnerTask;
const task = { ...written, nodeModules: process.env['CONTENDER_AGENT_NODE_MODULES'] ?? written.nodeModules };
const say = (line: string): void => void process.stderr.write(`${line}\n`);

/** It stays where it is. */
const keeper: Keeper = {
  async keep(path, name) {
    const { size } = statSync(path);
    say(`It would keep ${path} as the artifact ${name} (${size} bytes).`);
    return { $artifact: '0'.repeat(64), name, bytes: size };
  },
  answer: () => undefined,
};

process.chdir(task.sourceTree);
try {
  const { kind, ...result } = await carryOut({ task, signal: new AbortController().signal, keeper, spoil() {}, say });
  process.stdout.write(`${JSON.stringify({ kind, ...result })}\n`);
  process.exitCode = kind === 'failed' ? 1 : 0;
} catch (error) {
  say(error instanceof Error ? (error.stack ?? error.message) : `it threw ${inspect(error)}`);
  process.exitCode = 1;
}

/**
 * The program beside the user's code. It carries out one attempt at a time for the executor that started it and talks
 * with it over the channel of child processes. What the user's code prints is the attempt's log; the end mark on both
 * streams says where it ends. When the channel closes, the server is gone: the runner ends itself and its group.
 */
import { inspect } from 'node:util';
import type { RunnerReport, RunnerRequest, RunnerResult, RunnerTask } from '../src/executor/executor.ts';
import { NonRetryableError } from '../src/pipeline/non-retryable-error.ts';
import { messageOfError } from '../src/std/error-message.ts';
import type { Attempt } from './attempt.ts';
import { carryOut } from './carry-out.ts';
import { handOnCheckpoints, isEmpty } from './checkpoint.ts';
import { createKeeper } from './keeper.ts';
import { listLeftovers } from './leftovers.ts';

// Bound before the user's code can replace them.
const out = process.stdout.write.bind(process.stdout);
const err = process.stderr.write.bind(process.stderr);
const send = (report: RunnerReport): void => {
  if (process.connected) sendRaw(report);
};
const sendRaw = process.send?.bind(process) ?? (() => false);

const keeper = createKeeper((request, path, name) => send({ type: 'keep', request, path, name }));
const checkpoints = handOnCheckpoints(process.argv[2] ?? '');
const ownEnvironment = { ...process.env };
let current: { readonly task: RunnerTask; readonly abort: AbortController; fail: (error: unknown) => void } | null =
  null;

process.on('message', (request: RunnerRequest) => {
  switch (request.type) {
    case 'run':
      void run(request.task);
      return;
    case 'abort':
      current?.abort.abort(new Error(`the step is to end: ${request.reason}`));
      return;
    case 'kept':
    case 'not-kept':
      keeper.answer(request);
      return;
  }
});
process.on('disconnect', endGroup);
process.on('uncaughtException', failCurrent);
process.on('unhandledRejection', failCurrent);
// The group is warned as a whole where a command of a challenge runs in it; the executor decides when this one ends.
process.on('SIGTERM', () => {});
send({ type: 'ready' });

async function run(task: RunnerTask): Promise<void> {
  const abort = new AbortController();
  const before = { cpu: process.cpuUsage(), resources: listLeftovers() };
  Object.assign(process.env, task.environment);
  process.chdir(task.sourceTree);
  const escaped = new Promise<never>((_, reject) => {
    current = { task, abort, fail: reject };
  });
  let broken = false;
  const spoil = (): void => void (broken = true);
  escaped.catch(spoil);
  const attempt: Attempt = { task, signal: abort.signal, keeper, spoil, say: (line) => void out(`${line}\n`) };
  let result: RunnerResult;
  try {
    result = openedCheckpoint(task) ?? (await Promise.race([carryOut(attempt), escaped]));
  } catch (error) {
    result = failureOf(error);
  }
  current = null;
  const { user, system } = process.cpuUsage(before.cpu);
  const usage = { cpuMs: Math.round((user + system) / 1000), memoryBytesMax: process.resourceUsage().maxRSS * 1024 };
  const reusable = !broken && !abort.signal.aborted && listLeftovers() <= before.resources;
  const checkpointGone =
    task.checkpoint !== null && reusable && result.kind === 'succeeded' && checkpoints.close(task.checkpoint);
  out(task.endMark);
  err(task.endMark);
  send({ type: 'finished', result, usage, reusable, scratchEmpty: isEmpty(task.scratch), checkpointGone });
  restoreEnvironment();
}

/** Null: it is there, or there is to be none. */
function openedCheckpoint({ checkpoint }: RunnerTask): RunnerResult | null {
  try {
    if (checkpoint !== null) checkpoints.open(checkpoint);
    return null;
  } catch (error) {
    const message = `the directory of its checkpoint could not be made: ${messageOfError(error)}`;
    return { kind: 'failed', cause: 'start', message, exitCode: null };
  }
}

/** What the user's code threw: its first line is the outcome's message, all of it stands in the log. */
function failureOf(error: unknown): RunnerResult {
  const text = error instanceof Error ? (error.stack ?? `${error.name}: ${error.message}`) : inspect(error);
  err(`${text}${error instanceof Error && error.cause !== undefined ? `\nCaused by: ${inspect(error.cause)}` : ''}\n`);
  const message = error instanceof Error ? `${error.name}: ${error.message}` : `it threw ${inspect(error)}`;
  // By its name too: a package of the repository may have brought a copy of its own.
  const isFinal =
    error instanceof NonRetryableError || (error instanceof Error && error.name === NonRetryableError.name);
  const cause = isFinal ? 'non-retryable' : 'code';
  return { kind: 'failed', cause, message: (message.split('\n')[0] ?? '').slice(0, 1000), exitCode: null };
}

/** An error that no `await` of the function saw ends its attempt, or, between two attempts, the process. */
function failCurrent(error: unknown): void {
  if (current === null) process.exit(1);
  current.fail(error);
}

function restoreEnvironment(): void {
  for (const name of Object.keys(process.env)) if (!(name in ownEnvironment)) delete process.env[name];
  Object.assign(process.env, ownEnvironment);
}

function endGroup(): void {
  try {
    process.kill(-process.pid, 'SIGKILL');
  } catch {
    process.exit(1);
  }
}

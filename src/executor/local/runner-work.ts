/** Steps that the runner carries out in a warm process: functions, gates, challenges, looks of sensors. */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { AttemptOutcome, StepOutput } from '../../engine/event.ts';
import type { Json } from '../../std/json.ts';
import type { AttemptWork, RunnerResult } from '../executor.ts';
import type { AttemptEnd, PreparedAttempt } from './prepared-attempt.ts';
import { kernelMemoryKills, outcomeOfExit, outcomeOfStop } from './exit-outcome.ts';
import { resolveWork } from './inputs.ts';
import { createLastLine } from './last-line.ts';
import { maskedOutput } from './masked-output.ts';
import { outputBytesMax, storeOutput } from './outputs.ts';
import { AttemptRefusal } from './refusal.ts';
import type { FinishedReport, RunnerDeath, RunnerProcess } from './runner-process.ts';
import { endAttempt, reasonOf } from './stop.ts';

export async function runRunnerWork(
  work: Exclude<AttemptWork, { kind: 'command' }>,
  attempt: PreparedAttempt,
): Promise<AttemptEnd> {
  const { spec, services, control } = attempt;
  const resolved = await resolveWork(work, attempt.inputs);
  if (control.cause !== null) return { outcome: outcomeOfStop(control.cause, spec.timeoutMs), usage: null };
  if (resolved.kind === 'command') throw new Error('a command has no runner');
  const key = poolKey(attempt);
  const runner = services.pool.take(key);
  const memoryKills = kernelMemoryKills();
  const lastError = createLastLine(64 * 1024);
  const word = await serve(runner, resolved, attempt, (chunk) => lastError.push(chunk));
  const reusable = word.type === 'finished' && word.reusable && control.cause === null;
  services.pool.giveBack(key, runner, reusable);
  if (control.cause !== null) {
    await endAttempt(spec.attemptId, runner.pid);
    return {
      outcome: outcomeOfStop(control.cause, spec.timeoutMs),
      usage: word.type === 'finished' ? word.usage : null,
    };
  }
  // Children that it left behind carry the attempt's mark; the process itself does not.
  services.sweeper.note(spec.attemptId);
  if (word.type === 'finished') {
    const { result, usage, scratchGone } = word;
    return { outcome: await outcomeOf(result, attempt), usage, scratchGone };
  }
  const kernelRanOutOfMemory = kernelMemoryKills() > memoryKills;
  if (word.code === 0) return { outcome: endedEarly(), usage: null };
  return { outcome: outcomeOfExit({ ...word, lastError: lastError.text(), kernelRanOutOfMemory }), usage: null };
}

/** Attempts share a process only where they may see the same: the version and the secrets. */
function poolKey({ spec, secretNames }: PreparedAttempt): string {
  return JSON.stringify([spec.repository, spec.sha, [...secretNames].sort()]);
}

async function serve(
  runner: RunnerProcess,
  work: Exclude<AttemptWork, { kind: 'command' }>,
  attempt: PreparedAttempt,
  sawError: (chunk: Uint8Array) => void,
): Promise<FinishedReport | RunnerDeath> {
  const { spec, services, control, log } = attempt;
  attempt.running(runner.pid);
  control.attach({
    warn(cause, graceMs) {
      log.say(`${reasonOf(cause)}: context.signal is aborted, and the process is killed in ${graceMs / 1000} s.`);
      runner.abort(cause);
    },
    kill: () => runner.kill(),
  });
  const task = {
    attemptId: spec.attemptId,
    sourceTree: attempt.sourceTree,
    nodeModules: services.nodeModules,
    scratch: attempt.scratch,
    environment: attempt.environment,
    context: spec.context,
    work,
    endMark: `\u0000contender ${randomUUID()}\n`,
  };
  const word = await runner.run(task, {
    output(stream, chunk) {
      if (stream === 'err') sawError(chunk);
      log.output(stream, chunk);
    },
    keep: (path, name) => services.artifacts.putFile(path, name),
  });
  control.release();
  return word;
}

async function outcomeOf(result: RunnerResult, attempt: PreparedAttempt): Promise<AttemptOutcome> {
  if (result.kind !== 'succeeded') return result;
  return { kind: 'succeeded', output: await outputOf(result.output, attempt), control: result.control };
}

async function outputOf(
  output: Extract<RunnerResult, { kind: 'succeeded' }>['output'],
  attempt: PreparedAttempt,
): Promise<StepOutput> {
  const { artifacts } = attempt.services;
  if ('inline' in output) return storeOutput(maskedOutput(output.inline, attempt), artifacts);
  const { size } = await stat(output.file);
  if (size > outputBytesMax)
    throw new AttemptRefusal(
      'output',
      `the output has ${size} bytes, and at most ${outputBytesMax} are kept: give it as an artifact`,
    );
  // Only with secrets is a large output looked at here; the runner has counted its lengths.
  if (attempt.secretNames.length === 0)
    return { stored: await artifacts.putFile(output.file, 'output.json'), lengths: output.lengths };
  const value: Json = JSON.parse(await readFile(output.file, 'utf8'));
  return storeOutput(maskedOutput(value, attempt), artifacts);
}

function endedEarly(): AttemptOutcome {
  return {
    kind: 'failed',
    cause: 'code',
    message: 'the process ended (process.exit) before the function had returned',
    exitCode: 0,
  };
}

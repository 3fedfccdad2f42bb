/** A command step: its process, and what its end and its outputs mean. */
import type { AttemptOutcome } from '../../engine/event.ts';
import type { AttemptWork } from '../executor.ts';
import type { AttemptEnd, PreparedAttempt } from './prepared-attempt.ts';
import { startCommand, type CommandExit, type RunningCommand } from './command.ts';
import { kernelMemoryKills, outcomeOfExit, outcomeOfStop } from './exit-outcome.ts';
import { resolveCommand } from './inputs.ts';
import { createLastLine } from './last-line.ts';
import { maskedOutput } from './masked-output.ts';
import { readCommandOutputs, storeOutput } from './outputs.ts';
import { endAttempt, warnAttempt } from './stop.ts';

const outputLineBytesMax = 1024 * 1024;

export async function runCommandWork(
  work: Extract<AttemptWork, { kind: 'command' }>,
  attempt: PreparedAttempt,
): Promise<AttemptEnd> {
  const { spec, services, control, log } = attempt;
  const resolved = await resolveCommand(work, attempt.inputs);
  if (control.cause !== null) return { outcome: outcomeOfStop(control.cause, spec.timeoutMs), usage: null };
  const lines = { out: createLastLine(outputLineBytesMax), err: createLastLine(outputLineBytesMax) };
  const memoryKills = kernelMemoryKills();
  const command = await startCommand({
    command: resolved.command,
    environment: { ...services.baseEnvironment, ...attempt.environment, ...resolved.environment },
    directory: attempt.sourceTree,
    pipes: services.pipes,
    output(stream, chunk) {
      lines[stream].push(chunk);
      log.output(stream, chunk);
    },
  });
  attempt.running(command.pid);
  const watched = services.sampler.watch(command.pid);
  const exit = await untilEnded(command, attempt);
  const usage = watched.end();
  if (control.cause !== null) return { outcome: outcomeOfStop(control.cause, spec.timeoutMs), usage };
  if (exit.code === 0) return { outcome: await success(attempt, lines.out.text()), usage };
  const kernelRanOutOfMemory = kernelMemoryKills() > memoryKills;
  return { outcome: outcomeOfExit({ ...exit, lastError: lines.err.text(), kernelRanOutOfMemory }), usage };
}

/** Waits for the end, by itself or by us; after a stop nothing of the attempt is left. */
async function untilEnded(command: RunningCommand, attempt: PreparedAttempt): Promise<CommandExit> {
  const { control, spec } = attempt;
  control.attach({
    warn: (cause, graceMs) => warnAttempt(attempt, command.pid, cause, graceMs),
    kill: () => void endAttempt(spec.attemptId, command.pid),
  });
  const exit = await command.exited;
  // Before the streams are read to the end: those who are left could hold them open.
  if (control.cause !== null) await endAttempt(spec.attemptId, command.pid);
  await command.drained;
  control.release();
  if (control.cause === null) attempt.services.sweeper.note(spec.attemptId);
  else await endAttempt(spec.attemptId, command.pid);
  return exit;
}

async function success(attempt: PreparedAttempt, lastLine: string | null): Promise<AttemptOutcome> {
  const { spec, services, scratch, sourceTree, outputsFile } = attempt;
  const given = await readCommandOutputs(
    { declared: spec.outputs, file: outputsFile, lastLine, folders: [scratch, sourceTree] },
    services.artifacts,
  );
  return {
    kind: 'succeeded',
    output: await storeOutput(maskedOutput(given, attempt), services.artifacts),
    control: null,
  };
}

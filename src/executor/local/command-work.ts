/** A command step: its process, and what its end and its outputs mean. */
import { mkdirSync } from 'node:fs';
import type { AttemptOutcome } from '../../engine/event.ts';
import type { AttemptWork } from '../executor.ts';
import type { AttemptEnd, PreparedAttempt } from './prepared-attempt.ts';
import { startCommand, type RunningCommand } from './command.ts';
import { createErrorTail } from './error-tail.ts';
import { kernelMemoryKills, outcomeOfExit, recentMemoryKills, type CommandExit } from './exit-outcome.ts';
import { resolveCommand } from './inputs.ts';
import { createLastLine } from './last-line.ts';
import { maskedOutput } from './masked-output.ts';
import { readCommandOutputs, storeOutput } from './outputs.ts';
import { endAttempt, memoryLimitOf, stopped, warnAttempt } from './stop.ts';
import { checkpointOf, workplaceIn, type Workplace } from './workplace.ts';

const outputLineBytesMax = 1024 * 1024;

export async function runCommandWork(
  work: Extract<AttemptWork, { kind: 'command' }>,
  attempt: PreparedAttempt,
): Promise<AttemptEnd> {
  const { services, control, log } = attempt;
  const checkpoint = checkpointOf(work, attempt);
  if (checkpoint !== null) mkdirSync(checkpoint, { recursive: true });
  const scratch = services.folders.take();
  attempt.left.push(scratch);
  const workplace = workplaceIn(scratch, checkpoint, attempt);
  const resolved = await resolveCommand(work, workplace.inputs);
  if (control.cause !== null) return stopped(control.cause, attempt, null);
  const lines = { out: createLastLine(outputLineBytesMax), err: createErrorTail(outputLineBytesMax) };
  const memoryKills = recentMemoryKills();
  const command = await startCommand({
    command: resolved.command,
    baseEnvironment: services.baseEnvironment,
    environment: { ...workplace.environment, ...resolved.environment },
    directory: attempt.sourceTree,
    pipes: services.pipes,
    shells: maySharePlace(attempt) ? services.shells : null,
    output(stream, chunk) {
      lines[stream].push(chunk);
      log.output(stream, chunk);
    },
  });
  attempt.running(command);
  const watched = services.sampler.watch(command.leader.pid, memoryLimitOf(attempt));
  const exit = await untilEnded(command, attempt);
  const usage = watched.end();
  if (control.cause !== null) return stopped(control.cause, attempt, usage);
  if (exit.code === 0) {
    const outcome = await success(attempt, workplace, lines.out.text());
    // No further try will ask for it.
    if (checkpoint !== null) attempt.left.push(checkpoint);
    return { outcome, usage };
  }
  const kernelRanOutOfMemory = kernelMemoryKills() > memoryKills;
  const evidence = { ...exit, ...lines.err.evidence(), memoryBytes: null, kernelRanOutOfMemory };
  return { outcome: outcomeOfExit(evidence), usage };
}

/** What attempts before it left in the group of a shell would be counted as its own, and secrets are for nobody else. */
function maySharePlace({ secrets, spec }: PreparedAttempt): boolean {
  return secrets.size === 0 && spec.context.memoryBytes === null;
}

/** Waits for the end, by itself or by us; after a stop nothing of the attempt is left. */
async function untilEnded(command: RunningCommand, attempt: PreparedAttempt): Promise<CommandExit> {
  const { control, spec } = attempt;
  control.attach({
    warn: (cause, graceMs) => warnAttempt(attempt, command.leader.pid, cause, graceMs),
    kill: () => void endAttempt(spec.attemptId, command.leader.pid),
  });
  const exit = await command.exited;
  // Before the streams are read to the end: those who are left could hold them open.
  if (control.cause !== null) await endAttempt(spec.attemptId, command.leader.pid);
  await command.drained;
  control.release();
  if (control.cause === null) attempt.services.sweeper.note(spec.attemptId);
  else await endAttempt(spec.attemptId, command.leader.pid);
  command.release(control.cause === null);
  return exit;
}

async function success(
  attempt: PreparedAttempt,
  { scratch, outputsFile }: Workplace,
  lastLine: string | null,
): Promise<AttemptOutcome> {
  const { spec, services, sourceTree } = attempt;
  const given = await readCommandOutputs(
    { declared: spec.outputs, file: outputsFile, lastLine, folders: [scratch, sourceTree] },
    services.artifacts,
  );
  const output = await storeOutput(maskedOutput(given, attempt), services.artifacts);
  return { kind: 'succeeded', output, control: null };
}

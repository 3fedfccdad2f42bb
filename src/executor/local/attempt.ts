/**
 * One attempt, or look, from its specification to its outcome: source, secrets, inputs, the process, outputs. Whatever
 * cannot be is an outcome with a cause and a sentence; only bugs are thrown.
 */
import { hostname } from 'node:os';
import type { Mask } from '../../outputs/mask.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { AttemptSpec, AttemptWork, ExecutorPorts, InputValue } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import type { AttemptLog } from './attempt-log.ts';
import { runCommandWork } from './command-work.ts';
import { readSecrets } from './environment.ts';
import type { AttemptEnd, AttemptServices, GivenWork, PreparedAttempt } from './prepared-attempt.ts';
import type { StartedProcess } from './processes.ts';
import { AttemptRefusal } from './refusal.ts';
import { runRunnerWork } from './runner-work.ts';
import { messageOfError } from '../../std/error-message.ts';

/** Runs it to its end. `clean` removes its files, which the report does not wait for. */
export async function runAttempt(
  { spec, work, openLog }: GivenWork,
  services: AttemptServices,
  control: AttemptControl,
  running: (process: StartedProcess) => void,
): Promise<AttemptEnd & { readonly clean: () => Promise<unknown> }> {
  let [mask, log]: [Mask, AttemptLog | null] = [services.maskOf(new Map()), null];
  const left: string[] = [];
  let end: AttemptEnd;
  try {
    const secrets = readSecrets(spec.secrets, services.ports.secret);
    mask = services.maskOf(secrets);
    log = openLog(mask);
    const sourceTree = await sourceOf(spec, services.ports);
    end = await runWork(work, { spec, services, control, log, mask, sourceTree, secrets, running, left });
  } catch (error) {
    end = { outcome: outcomeOfError(error), usage: null };
  }
  const outcome = masked(end.outcome, mask);
  log ??= openLog(mask);
  if (outcome.kind === 'failed') log.say(`Failed (${outcome.cause}): ${outcome.message}`);
  await log.close();
  const clean = (): Promise<unknown> => Promise.all(left.map((folder) => services.folders.remove(folder)));
  return { outcome, usage: end.usage, clean };
}

const host = hostname();

export function placeOf(pid: number): string {
  return `process ${pid} on ${host}`;
}

function runWork(work: GivenWork['work'], attempt: PreparedAttempt): Promise<AttemptEnd> {
  switch (work.kind) {
    case 'command':
      return runCommandWork(work, attempt);
    case 'container':
      return runCommandWork({ ...work, kind: 'command', command: localCommandOf(work, attempt) }, attempt);
    case 'function':
    case 'branch':
    case 'short-circuit':
    case 'gate':
    case 'challenge':
    case 'wait':
      return runRunnerWork(work, attempt);
    default:
      return unreachable(work);
  }
}

function localCommandOf(
  { localCommand }: Extract<AttemptWork, { kind: 'container' }>,
  { spec }: PreparedAttempt,
): readonly InputValue[] {
  if (localCommand !== null) return localCommand;
  throw new AttemptRefusal(
    'invalid',
    `"${spec.context.step}" is a container, which the local executor cannot run: give it a local command (local: { command: [...] }) or a cluster`,
  );
}

async function sourceOf(spec: Pick<AttemptSpec, 'repository' | 'sha'>, ports: ExecutorPorts): Promise<string> {
  try {
    return await ports.sourceTree(spec.repository, spec.sha);
  } catch (error) {
    throw new AttemptRefusal(
      'start',
      `the files of commit ${spec.sha} could not be laid out: ${messageOfError(error)}`,
    );
  }
}

function outcomeOfError(error: unknown): AttemptEnd['outcome'] {
  if (error instanceof AttemptRefusal)
    return { kind: 'failed', cause: error.failure, message: error.message, exitCode: null };
  return { kind: 'failed', cause: 'start', message: `it could not be run: ${messageOfError(error)}`, exitCode: null };
}

/** Sentences of an outcome go to the forge and the page: they hold no secret either. */
function masked(outcome: AttemptEnd['outcome'], mask: Mask): AttemptEnd['outcome'] {
  switch (outcome.kind) {
    case 'succeeded':
      return outcome;
    case 'failed':
      return { ...outcome, message: mask.text(outcome.message) };
    case 'skipped':
    case 'not-yet':
      return { ...outcome, reason: mask.text(outcome.reason) };
    default:
      return unreachable(outcome);
  }
}

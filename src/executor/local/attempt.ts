/**
 * One attempt from its specification to its outcome: source, secrets, inputs, the process, outputs. Whatever cannot be
 * is an outcome with a cause and a sentence; only bugs are thrown.
 */
import { mkdirSync } from 'node:fs';
import { rm, rmdir } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import type { AttemptOutcome } from '../../engine/event.ts';
import { createMask, type Mask } from '../../outputs/mask.ts';
import { safeName } from '../../outputs/safe-name.ts';
import { unreachable } from '../../std/unreachable.ts';
import type { AttemptSpec, ExecutorPorts } from '../executor.ts';
import type { AttemptControl } from './attempt-control.ts';
import { createAttemptLog, type AttemptLog } from './attempt-log.ts';
import { runCommandWork } from './command-work.ts';
import { contextEnvironment, readSecrets } from './environment.ts';
import { openInputs } from './inputs.ts';
import type { AttemptEnd, AttemptServices, PreparedAttempt } from './prepared-attempt.ts';
import { AttemptRefusal } from './refusal.ts';
import { runRunnerWork } from './runner-work.ts';

/** Runs it to its end. `cleaned` resolves when its files are gone, which the report does not wait for. */
export async function runAttempt(
  spec: AttemptSpec,
  services: AttemptServices,
  control: AttemptControl,
  running: (pid: number) => void,
): Promise<AttemptEnd & { readonly cleaned: Promise<void> }> {
  const scratch = join(services.directory, 'scratch', safeName(spec.attemptId));
  const checkpoint = join(
    services.directory,
    'checkpoints',
    safeName(`${spec.context.runId}/${spec.context.step}/${spec.context.index}`),
  );
  let [mask, log]: [Mask, AttemptLog | null] = [createMask(new Map()), null];
  let end: AttemptEnd;
  try {
    const secrets = readSecrets(spec.secrets, services.ports.secret);
    mask = createMask(secrets);
    log = createAttemptLog(services.logs.writer(spec.attemptId), mask);
    const sourceTree = await sourceOf(spec, services.ports);
    // Only programs are told of a checkpoint; a function that wants one has the artifacts.
    if (spec.work.kind === 'command')
      for (const folder of [scratch, checkpoint]) mkdirSync(folder, { recursive: true });
    const outputsFile = join(scratch, '.outputs.json');
    const places = { sourceTree, scratch, checkpoint, outputs: outputsFile };
    end = await runWork({
      spec,
      services,
      control,
      log,
      mask,
      sourceTree,
      scratch,
      outputsFile,
      inputs: openInputs(services.artifacts, services.stored, join(scratch, '.inputs')),
      environment: { ...contextEnvironment(spec.attemptId, spec.context, places), ...Object.fromEntries(secrets) },
      secretNames: [...secrets.keys()],
      running,
    });
  } catch (error) {
    end = { outcome: outcomeOfError(error), usage: null };
  }
  const outcome = masked(end.outcome, mask);
  log ??= createAttemptLog(services.logs.writer(spec.attemptId), mask);
  if (outcome.kind === 'failed') log.say(`Failed (${outcome.cause}): ${outcome.message}`);
  await log.close();
  const left = [
    ...(end.scratchGone === true ? [] : [scratch]),
    ...(outcome.kind === 'succeeded' && spec.work.kind === 'command' ? [checkpoint] : []),
  ];
  return { outcome, usage: end.usage, cleaned: removeFolders(left) };
}

export function placeOf(pid: number): string {
  return `process ${pid} on ${hostname()}`;
}

function runWork(attempt: PreparedAttempt): Promise<AttemptEnd> {
  const { work } = attempt.spec;
  return work.kind === 'command' ? runCommandWork(work, attempt) : runRunnerWork(work, attempt);
}

async function sourceOf(spec: AttemptSpec, ports: ExecutorPorts): Promise<string> {
  try {
    return await ports.sourceTree(spec.repository, spec.sha);
  } catch (error) {
    throw new AttemptRefusal('start', `the files of commit ${spec.sha} could not be laid out: ${messageOf(error)}`);
  }
}

function outcomeOfError(error: unknown): AttemptOutcome {
  if (error instanceof AttemptRefusal)
    return { kind: 'failed', cause: error.failure, message: error.message, exitCode: null };
  return { kind: 'failed', cause: 'start', message: `it could not be run: ${messageOf(error)}`, exitCode: null };
}

/** Sentences of an outcome go to the forge and the page: they hold no secret either. */
function masked(outcome: AttemptOutcome, mask: Mask): AttemptOutcome {
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

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

async function removeFolders(paths: readonly string[]): Promise<void> {
  await Promise.all(paths.map(removeFolder));
}

/** Most are empty, which one call tells. */
async function removeFolder(path: string): Promise<void> {
  try {
    await rmdir(path);
  } catch {
    await rm(path, { recursive: true, force: true, maxRetries: 3 }).catch(() => {});
  }
}

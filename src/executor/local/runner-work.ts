/** Steps that the runner carries out in a warm process: functions, gates, challenges, looks of sensors. */
import { randomUUID } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import type { StepOutput } from '../../engine/event.ts';
import type { Json } from '../../std/json.ts';
import type { RunnerResult, RunnerTask } from '../executor.ts';
import type { AttemptEnd, PreparedAttempt } from './prepared-attempt.ts';
import { createErrorTail } from './error-tail.ts';
import { kernelMemoryKills, outcomeOfExit, recentMemoryKills } from './exit-outcome.ts';
import { resolveWork } from './inputs.ts';
import { maskedOutput } from './masked-output.ts';
import { outputBytesMax, refuseTooDeep, storeOutput } from './outputs.ts';
import { AttemptRefusal } from './refusal.ts';
import { runnerLimits, type FinishedReport, type RunnerDeath, type RunnerProcess } from './runner-process.ts';
import { endAttempt, memoryLimitOf, reasonOf, stopped } from './stop.ts';
import type { MemoryLimit } from './usage.ts';
import { checkpointOf, workplaceIn, type Workplace } from './workplace.ts';

export async function runRunnerWork(work: RunnerTask['work'], attempt: PreparedAttempt): Promise<AttemptEnd> {
  const { spec, services, control } = attempt;
  const memoryKills = recentMemoryKills();
  const errors = createErrorTail(64 * 1024);
  const checkpoint = checkpointOf(work, attempt);
  const served = await withRunner(attempt, async (runner) => {
    const workplace = workplaceIn(runner.scratch, checkpoint, attempt);
    const resolved = await resolveWork(work, workplace.inputs);
    if (control.cause !== null) return null;
    return serve(runner, resolved, { attempt, workplace, checkpoint, sawError: (chunk) => errors.push(chunk) });
  });
  if (control.cause !== null) {
    if (served.word !== null) await endAttempt(spec.attemptId, served.pid);
    return stopped(control.cause, attempt, served.word?.type === 'finished' ? served.word.usage : served.seen);
  }
  const { word } = served;
  if (word === null) throw new Error('an attempt that nobody stopped was not served');
  // Children that it left behind carry the attempt's mark; the process itself does not.
  services.sweeper.note(spec.attemptId);
  if (word.type === 'finished') {
    const outcome = await outcomeOf(word.result, attempt);
    // No further try will ask for it.
    if (outcome.kind === 'succeeded' && checkpoint !== null && !word.checkpointGone) attempt.left.push(checkpoint);
    return { outcome, usage: word.usage };
  }
  const kernelRanOutOfMemory = kernelMemoryKills() > memoryKills;
  if (word.code === 0) return { outcome: endedEarly(), usage: served.seen };
  const { memoryBytes } = spec.context;
  const evidence = { ...word, ...errors.evidence(), memoryBytes, kernelRanOutOfMemory };
  return { outcome: outcomeOfExit(evidence), usage: served.seen };
}

interface Served {
  readonly pid: number;
  /** Null where it was stopped before it began. */
  readonly word: FinishedReport | RunnerDeath | null;
  /** What was seen of it, where it has a limit of memory. */
  readonly seen: AttemptEnd['usage'];
}

/** Gives the process back afterwards, with an empty scratch directory. */
async function withRunner(
  attempt: PreparedAttempt,
  use: (runner: RunnerProcess) => Promise<Served['word']>,
): Promise<Served> {
  const { runners, startRunner, sampler } = attempt.services;
  const key = poolKey(attempt);
  const limit = memoryLimitOf(attempt);
  const runner = runners.take(key, limit === null ? null : () => startRunner(limit.bytes));
  const watched = limit === null ? null : sampler.watch(runner.pid, limit);
  let word: Served['word'] = null;
  let untouched = true;
  try {
    word = await use(runner);
    untouched = word === null;
    // The time of the processor would be that of all attempts that the process has served.
    const seen = watched === null ? null : { ...watched.end(), cpuMs: null };
    return { pid: runner.pid, word, seen };
  } finally {
    watched?.end();
    const finished = word?.type === 'finished' ? word : null;
    if (finished?.scratchEmpty !== true || !runner.alive) attempt.left.push(runner.leaveScratch());
    const isGood = finished?.reusable === true && attempt.control.cause === null && hasRoom(runner, finished, limit);
    runners.giveBack(key, runner, untouched || isGood);
  }
}

/** Attempts share a process only where they may see and take the same: the version, the secrets, the memory. */
function poolKey({ spec, secrets }: PreparedAttempt): string {
  return JSON.stringify([spec.repository, spec.sha, [...secrets.keys()].sort(), spec.context.memoryBytes]);
}

/** What earlier attempts left in a process is not to end a later one. */
export function hasRoom(
  { served }: Pick<RunnerProcess, 'served'>,
  { usage }: Pick<FinishedReport, 'usage'>,
  limit: MemoryLimit | null,
): boolean {
  if (served >= runnerLimits.attemptsOfGrownMax && usage.memoryBytesMax > runnerLimits.grownBytes) return false;
  return limit === null || usage.memoryBytesMax <= limit.bytes / 2;
}

interface Serving {
  readonly attempt: PreparedAttempt;
  readonly workplace: Workplace;
  readonly checkpoint: string | null;
  readonly sawError: (chunk: Uint8Array) => void;
}

async function serve(
  runner: RunnerProcess,
  resolved: Pick<RunnerTask, 'work' | 'lists'>,
  { attempt, workplace, checkpoint, sawError }: Serving,
): Promise<FinishedReport | RunnerDeath> {
  const { spec, services, control, log } = attempt;
  attempt.running({ pid: runner.pid, leader: runner });
  control.attach({
    warn(cause, graceMs) {
      const how =
        graceMs === 0 ? 'killed' : `context.signal is aborted, and the process is killed in ${graceMs / 1000} s`;
      log.say(`${reasonOf(cause)}: ${how}.`);
      runner.abort(cause);
    },
    kill: () => runner.kill(),
  });
  const task = {
    attemptId: spec.attemptId,
    sourceTree: attempt.sourceTree,
    nodeModules: services.nodeModules,
    scratch: workplace.scratch,
    checkpoint,
    environment: workplace.environment,
    context: spec.context,
    ...resolved,
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

async function outcomeOf(result: RunnerResult, attempt: PreparedAttempt): Promise<AttemptEnd['outcome']> {
  if (result.kind !== 'succeeded') return result;
  return { kind: 'succeeded', output: await outputOf(result.output, attempt), control: result.control };
}

async function outputOf(
  output: Extract<RunnerResult, { kind: 'succeeded' }>['output'],
  attempt: PreparedAttempt,
): Promise<StepOutput> {
  const { artifacts } = attempt.services;
  if ('inline' in output) {
    refuseTooDeep(output.inline);
    return storeOutput(maskedOutput(output.inline, attempt), artifacts);
  }
  const { size } = await stat(output.file);
  if (size > outputBytesMax)
    throw new AttemptRefusal(
      'output',
      `the output has ${size} bytes, and at most ${outputBytesMax} are kept: give it as an artifact`,
    );
  // Only where there is something to mask is a large output looked at here; the runner has counted its lengths.
  if (attempt.mask.isEmpty)
    return { stored: await artifacts.putFile(output.file, 'output.json'), lengths: output.lengths };
  const value: Json = JSON.parse(await readFile(output.file, 'utf8'));
  return storeOutput(maskedOutput(value, attempt), artifacts);
}

function endedEarly(): AttemptEnd['outcome'] {
  return {
    kind: 'failed',
    cause: 'code',
    message: 'the process ended (process.exit) before the function had returned',
    exitCode: 0,
  };
}

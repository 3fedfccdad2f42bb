/**
 * Stands beside a container that knows nothing of Contender, in the same pod: lays out the files of the commit, the inputs
 * and the secrets before the container begins, and brings its outputs and artifacts to the server when it has ended. The
 * cluster starts it first and tells it when the container is gone, so neither ever waits for the other.
 */
import { chmod, mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { AttemptOutcome } from '../../engine/event.ts';
import { createMask } from '../../outputs/mask.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import type { Json } from '../../std/json.ts';
import { readSecrets } from '../local/environment.ts';
import { openInputs, placeFrom } from '../local/inputs.ts';
import { maskedOutput } from '../local/masked-output.ts';
import { outputsFileAt, readCommandOutputs, storeOutput } from '../local/outputs.ts';
import { AttemptRefusal } from '../local/refusal.ts';
import { createStoredValues } from '../local/stored-values.ts';
import type { AttemptSpec } from '../executor.ts';
import type { AgentResult, Begun, Collected } from './contract.ts';
import { bringCheckpoint, sendCheckpoint, type CheckpointPorts } from './checkpoint.ts';
import { AttemptRevoked } from './link.ts';
import { placesIn } from './places.ts';
import { createRemoteArtifacts } from './remote-artifacts.ts';
import { messageOfError } from '../../std/error-message.ts';

export interface HelperPorts extends CheckpointPorts {
  readonly folder: string;
  readonly secretsFolder: string;
  readonly layOut: (folder: string) => Promise<string>;
  /** The container beside it has ended, or is to. */
  readonly ended: Promise<void>;
  /** How long the end of its log is asked for. Ten minutes after its end the cluster ends the helper. */
  readonly collectMs?: number | undefined;
}

const defaultCollectMs = 540_000;
const collectAgainMs = 1000;

export async function help({ task, secrets }: Begun, ports: HelperPorts): Promise<AgentResult> {
  if (task.type !== 'attempt') throw new Error('a look has no container');
  const artifacts = createRemoteArtifacts(ports.link);
  const outcome = await outcomeOf(async () => {
    await prepare(task.spec, secrets, ports, artifacts);
    await ports.ended;
    const { link, folder } = ports;
    const first: Collected = await link.json('POST', 'collect', {});
    if (!first.hasSucceeded) await sendCheckpoint(placesIn(folder).checkpoint, ports);
    const lastLine = outputsFile(folder) === null ? await lastLineOf(first, ports) : null;
    const given = await collect(task.spec, lastLine, folder, artifacts);
    const named = new Map(Object.entries(secrets));
    const masked = maskedOutput(given, { mask: createMask(named), log: { say: () => undefined } });
    return { kind: 'succeeded', output: await storeOutput(masked, artifacts), control: null };
  });
  return { type: 'attempt', outcome, usage: null };
}

async function prepare(
  { work, context, secrets: named }: AttemptSpec,
  given: Begun['secrets'],
  ports: HelperPorts,
  artifacts: ArtifactStore,
): Promise<void> {
  const { folder, secretsFolder, layOut } = ports;
  const places = placesIn(folder);
  // Started again, it finds that the container may have begun.
  if ((await stat(places.ready).catch(() => null)) !== null) return;
  await layOut(places.source).catch((error: unknown) => {
    if (error instanceof AttemptRevoked) throw error;
    const why = messageOfError(error);
    throw new AttemptRefusal('start', `the files of the commit could not be laid out: ${why}`);
  });
  // The container may be anybody.
  if (context.attempt > 1) await bringCheckpoint(places.checkpoint, ports);
  for (const path of [places.scratch, places.checkpoint, places.xcom]) {
    await mkdir(path, { recursive: true });
    await openToAll(path);
  }
  const inputs = openInputs(placeFrom(artifacts), createStoredValues(artifacts), places.inputs);
  if (work.kind === 'container')
    for (const value of [...work.command, ...work.args, ...Object.values(work.environment)]) await inputs.text(value);
  for (const [name, value] of readSecrets(named, (name) => given[name] ?? null))
    await writeFile(join(secretsFolder, name), value, { mode: 0o444 });
  await writeFile(places.ready, '');
}

async function openToAll(folder: string): Promise<void> {
  await chmod(folder, 0o777);
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true }))
    await chmod(join(entry.parentPath, entry.name), entry.isDirectory() ? 0o777 : 0o666);
}

async function collect(
  spec: AttemptSpec,
  lastLine: string | null,
  folder: string,
  artifacts: ArtifactStore,
): Promise<Json> {
  const { xcom, scratch, source } = placesIn(folder);
  const file = outputsFile(folder) ?? join(xcom, 'return.json');
  const folders = [scratch, source, folder];
  return readCommandOutputs({ declared: spec.outputs, file, lastLine, folders }, artifacts);
}

/** What a container has written its outputs to; null: nothing, and the last line counts. */
function outputsFile(folder: string): string | null {
  const { outputs, xcom } = placesIn(folder);
  return [outputs, join(xcom, 'return.json')].find((path) => (outputsFileAt(path)?.size ?? 0) > 0) ?? null;
}

/** Never a guess: a line that was read last may not be the last one. */
async function lastLineOf(
  first: Collected,
  { link, collectMs = defaultCollectMs }: HelperPorts,
): Promise<string | null> {
  const until = performance.now() + collectMs;
  let collected = first;
  while (collected.mayHaveMore) {
    if (performance.now() >= until)
      throw new AttemptRefusal(
        'lost',
        'its outputs may stand in its last line, and the cluster did not give its log to the end: see why pods/log of its pod cannot be read, or write the outputs to $CONTENDER_OUTPUTS',
      );
    await pause(collectAgainMs);
    collected = await link.json('POST', 'collect', {});
  }
  return collected.lastLine;
}

async function outcomeOf(work: () => Promise<AttemptOutcome>): Promise<AttemptOutcome> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof AttemptRefusal)) throw error;
    return { kind: 'failed', cause: error.failure, message: error.message, exitCode: null };
  }
}

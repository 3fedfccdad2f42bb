/**
 * A shell, or a command, in a copy of the pod of an attempt. The pod is made with nothing to do, the place that was laid out
 * here is brought into it, and it is removed when the shell has ended, whatever becomes of that.
 */
import { randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Writable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { KubeConfig } from '@kubernetes/client-node';
import { agentFolder, placesIn, secretsFolder } from '../agent/places.ts';
import type { ArtifactStore } from '../../outputs/outputs.ts';
import { quoted, receiveScript } from '../debug/scripts.ts';
import type { AttemptSpec } from '../executor.ts';
import { createStoredValues } from '../local/stored-values.ts';
import { ApiError, createApi, type Api } from './api.ts';
import { resolveContainer, resolveWords } from './container.ts';
import { debugPod, secretVariables } from './debug-pod.ts';
import { execIn, type Exec } from './exec.ts';
import { mainContainer, mainOf } from './pod-end.ts';
import type { PodView } from './pod-view.ts';
import { helperContainer, namespaceOf, type PodSettings, type ResolvedContainer } from './pod.ts';
import { removePod, untilView, whyNotStarted } from './single-pod.ts';

export interface PodShellOptions {
  readonly spec: AttemptSpec;
  readonly settings: PodSettings;
  readonly loadConfig: (client: typeof import('@kubernetes/client-node')) => KubeConfig;
  readonly artifacts: ArtifactStore;
  readonly startMs: number;
  /** How long it may stay. */
  readonly seconds: number;
  /** Lays the place out in `folder`, as it will stand in the pod. */
  readonly layOut: (folder: string) => Promise<{ readonly environment: { readonly [name: string]: string } }>;
  /** For what is laid out, of this machine. */
  readonly folder: string;
  readonly secrets: ReadonlyMap<string, string>;
  /** Empty: a shell. */
  readonly command: readonly string[];
  /** It begins. */
  readonly entered: () => void;
  readonly terminal: { readonly input: Readable; readonly output: Writable } | null;
  readonly signal: AbortSignal;
  readonly say: (text: string) => void;
}

/** The code of the shell or command. Rejects with a sentence where there is none. */
export async function openPodShell(options: PodShellOptions): Promise<number> {
  const { spec, settings, artifacts, loadConfig, seconds, signal, say } = options;
  const task = { type: 'attempt', spec } as const;
  const stored = createStoredValues(artifacts);
  const container = spec.work.kind === 'container' ? await resolveContainer(spec.work, stored) : null;
  const words = await resolveWords(spec.pod, stored);
  const name = `contender-debug-${randomUUID().slice(0, 8)}`;
  const namespace = namespaceOf(task, settings);
  const api = createApi(loadConfig);
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const body = debugPod({ name, id: spec.attemptId, task, container, words }, seconds, settings);
  await api.request('POST', path, { body }).catch(async (error: unknown) => {
    // Without an answer it may be there.
    if (!(error instanceof ApiError) || error.status === null) await removePod(`${path}/${name}`, api);
    throw error;
  });
  try {
    say(`The pod ${name} is made in ${namespace}.`);
    return await enter(options, { api, path: `${path}/${name}`, namespace, name, container });
  } finally {
    const why = await removePod(`${path}/${name}`, api);
    say(
      why === null
        ? `The pod ${name} is removed.`
        : `The pod ${name} could not be removed (${why}): kubectl --namespace ${namespace} delete pod ${name}`,
    );
    signal.throwIfAborted();
  }
}

interface Made {
  readonly api: Api;
  readonly path: string;
  readonly namespace: string;
  readonly name: string;
  readonly container: ResolvedContainer | null;
}

async function enter(options: PodShellOptions, made: Made): Promise<number> {
  const { folder, layOut, secrets, command, terminal, entered } = options;
  const { container } = made;
  // While the image comes.
  const laid = layOut(folder);
  laid.catch(() => undefined);
  await untilRunning(container === null ? mainContainer : helperContainer, options, made);
  const { environment } = await laid;
  await bring(container === null ? environment : {}, secrets, options, made);
  await untilRunning(mainContainer, options, made);
  const program = container === null ? enterStep : enterImage;
  const streams: Exec['streams'] =
    terminal === null
      ? { kind: 'streams', input: null, output: open(process.stdout), errors: open(process.stderr) }
      : { kind: 'terminal', ...terminal };
  entered();
  return exec(options, made, mainContainer, ['sh', '-c', program, 'sh', ...command], streams);
}

/** What the user has brought along, or what there is. */
const shell = `if [ $# -gt 0 ]; then exec "$@"; fi; command -v bash > /dev/null 2>&1 && exec bash; exec sh`;
const enterImage = shell;
const enterStep = `. ${secretVariables}; cd "$CONTENDER_SOURCE" || exit 1; ${shell}`;

async function untilRunning(container: string, { startMs, signal, say }: PodShellOptions, made: Made): Promise<void> {
  let told = '';
  const failure = await untilView({ ...made, signal }, startMs, (view, waitedMs) => {
    const found = view.containers.find(({ name }) => name === container);
    if (found?.state === 'running') return 'running';
    const why = waitOf(view);
    if (why !== null && why !== told) say(`It waits: ${why}`);
    told = why ?? told;
    // A helper runs until the end: what has started and is over has failed.
    return (
      whyNotStarted(view, waitedMs, startMs)?.message ?? (mainOf(view)?.state === 'terminated' ? 'it ended' : null)
    );
  });
  if (failure !== 'running') throw new Error(`its copy does not start: ${failure}`);
}

function waitOf({ unschedulable, containers }: PodView): string | null {
  const waiting = containers.find(({ state, message }) => state === 'waiting' && message !== null);
  return unschedulable?.message ?? waiting?.message ?? null;
}

/** The files that were laid out, and the secrets into memory: as variables, or as files beside a container. */
async function bring(
  environment: { readonly [name: string]: string },
  secrets: ReadonlyMap<string, string>,
  options: PodShellOptions,
  made: Made,
): Promise<void> {
  const isAgent = made.container === null;
  const container = isAgent ? mainContainer : helperContainer;
  const tar = `${options.folder}.tar`;
  const { create } = await import('tar');
  await pipeline(Readable.from(create({ cwd: options.folder, portable: true }, ['.'])), createWriteStream(tar));
  const { bytes, send } = {
    bytes: (await stat(tar)).size,
    send: (): AsyncIterable<Uint8Array> => createReadStream(tar),
  };
  const { scratch, checkpoint, xcom, ready } = placesIn(agentFolder);
  // The container may be anybody.
  const open = isAgent ? '' : ` && mkdir -p ${xcom} && chmod 777 ${scratch} ${checkpoint} ${xcom}`;
  const unpack = `head -c ${bytes} | tar -x -f - -C ${agentFolder}${open}`;
  await run(options, made, container, unpack, send());
  const written = isAgent ? [variablesFile(environment, secrets)] : [...secrets];
  for (const [name, text] of written) {
    const content = Buffer.from(text);
    const receive = receiveScript(join(secretsFolder, name), content.byteLength);
    await run(options, made, container, receive, Readable.from([content]));
  }
  if (!isAgent) await run(options, made, container, `touch ${ready}`, null);
  await rm(tar);
}

function variablesFile(
  environment: { readonly [name: string]: string },
  secrets: ReadonlyMap<string, string>,
): readonly [string, string] {
  const all = [...Object.entries(environment), ...secrets];
  const text = all.map(([name, value]) => `export ${name}=${quoted([value])}\n`).join('');
  return [secretVariables.slice(secretsFolder.length + 1), text];
}

async function run(
  options: PodShellOptions,
  made: Made,
  container: string,
  script: string,
  input: AsyncIterable<Uint8Array> | null,
): Promise<void> {
  let said = '';
  const listen = new Writable({
    write(chunk, _encoding, done) {
      said = (said + String(chunk)).slice(-1000);
      done();
    },
  });
  const streams = { kind: 'streams', input, output: listen, errors: listen } as const;
  const code = await exec(options, made, container, ['sh', '-c', script], streams);
  if (code !== 0) throw new Error(`its files could not be brought into the pod (exit code ${code}): ${said.trim()}`);
}

function exec(
  { loadConfig, signal }: PodShellOptions,
  { namespace, name }: Made,
  container: string,
  command: readonly string[],
  streams: Exec['streams'],
): Promise<number> {
  return execIn(loadConfig, { namespace, pod: name, container, command, streams, signal });
}

/** The client ends the streams that it is given. */
function open(stream: Writable): Writable {
  return new Writable({ write: (chunk, _encoding, done) => void stream.write(chunk, () => done()) });
}

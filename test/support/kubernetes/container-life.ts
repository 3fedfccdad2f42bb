/** One container of a pod, from waiting to its end. */
import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { Configuration } from './configuration.ts';
import { createContainerLog, type ContainerLog } from './container-log.ts';
import { startContainer, type ContainerProcess } from './container-process.ts';
import { findImage, type Images, type Place } from './images.ts';
import type { ContainerSituation, Role } from './pod-status.ts';
import { environmentOf, withWords } from './variables.ts';
import { pathsOf } from './volumes.ts';
import { timeOf, type Container, type ContainerState, type Pod } from './wire.ts';

export interface ContainerLife extends ContainerSituation {
  /** null before it has begun. */
  readonly log: ContainerLog | null;
  /** The exit code, once it has begun and ended. */
  readonly ended: Promise<number>;
  /** False: there is no image, or something that it reads, and it waits; it may be tried again. */
  begin(pod: Pod): Promise<boolean>;
  warn(): void;
  kill(): void;
  /** The kernel ends it for the memory that it takes. */
  endAsOutOfMemory(): void;
}

export interface ContainerSurroundings {
  readonly images: Images;
  readonly configuration: Configuration;
  /** The pod's own on this host. */
  readonly folder: string;
  readonly changed: () => void;
  readonly tell: (
    container: Container,
    role: Role,
    type: 'Normal' | 'Warning',
    reason: string,
    message: string,
  ) => void;
}

const messageBytesMax = 4096;
const fallbackBytesMax = 2048;

/** How it stands, with what only it needs to know. */
interface Standing {
  readonly container: Container;
  readonly role: Role;
  readonly id: string;
  readonly ended: PromiseWithResolvers<number>;
  state: ContainerState;
  log: ContainerLog | null;
  running: ContainerProcess | null;
  isOutOfMemory: boolean;
  readonly become: (next: ContainerState) => void;
  readonly tell: (type: 'Normal' | 'Warning', reason: string, message: string) => void;
}

export function createContainerLife(
  container: Container,
  role: Role,
  waitingFor: string,
  around: ContainerSurroundings,
): ContainerLife {
  const standing: Standing = {
    container,
    role,
    id: randomBytes(32).toString('hex'),
    ended: Promise.withResolvers<number>(),
    state: { waiting: { reason: waitingFor } },
    log: null,
    running: null,
    isOutOfMemory: false,
    become(next) {
      standing.state = next;
      around.changed();
    },
    tell: (type, reason, message) => around.tell(container, role, type, reason, message),
  };
  return {
    container,
    role,
    id: standing.id,
    get state() {
      return standing.state;
    },
    get log() {
      return standing.log;
    },
    ended: standing.ended.promise,
    begin: (pod) => begin(standing, pod, around),
    warn() {
      if (standing.running === null) return;
      standing.tell('Normal', 'Killing', `Stopping container ${container.name}`);
      standing.running.warn();
    },
    kill: () => standing.running?.kill(),
    endAsOutOfMemory() {
      standing.isOutOfMemory = true;
      standing.running?.kill();
    },
  };
}

async function begin(standing: Standing, pod: Pod, around: ContainerSurroundings): Promise<boolean> {
  const { container, id, tell } = standing;
  const { image = '' } = container;
  const found = findImage(around.images, container);
  if (found.kind === 'absent') return waitForImage(standing, found.reason, found.message);
  const values = environmentOf(container, pod, around.configuration);
  if (typeof values === 'string') return waitForConfiguration(standing, values);
  const place = { paths: pathsOf(container, around.folder), environment: Object.fromEntries(values) };
  const program = found.image(withWords(container, values), place);
  if (program === null) return waitForImage(standing, 'ErrImagePull', `${image}: not found`);
  tell('Normal', 'Pulled', presentMessage(image));
  tell('Normal', 'Created', `Created container: ${container.name}`);
  const log = createContainerLog();
  standing.log = log;
  const environment = { HOSTNAME: pod.metadata.name, ...program.environment, ...place.environment };
  const { command, cwd = around.folder } = program;
  const started = await startContainer({ id, command, environment, cwd, log });
  if (typeof started === 'string') {
    failToStart(standing, started);
    return true;
  }
  standing.running = started;
  tell('Normal', 'Started', `Started container ${container.name}`);
  const startedAt = timeOf();
  void started.ended.then((exitCode) => terminate(standing, exitCode, startedAt, place));
  standing.become({ running: { startedAt } });
  return true;
}

const presentMessage = (image: string): string => `Container image "${image}" already present on machine`;

function waitForImage({ container, become, tell }: Standing, reason: string, message: string): false {
  become({ waiting: { reason, message } });
  if (reason !== 'ErrImagePull') {
    tell('Warning', reason === 'InvalidImageName' ? 'InspectFailed' : reason, message);
    tell('Warning', 'Failed', `Error: ${reason}`);
    return false;
  }
  tell('Normal', 'Pulling', `Pulling image "${container.image}"`);
  tell('Warning', 'Failed', `Failed to pull image "${container.image}": ${message}`);
  tell('Warning', 'Failed', 'Error: ErrImagePull');
  const told = `Back-off pulling image "${container.image}"`;
  become({ waiting: { reason: 'ImagePullBackOff', message: `${told}: ErrImagePull: ${message}` } });
  tell('Normal', 'BackOff', told);
  tell('Warning', 'Failed', 'Error: ImagePullBackOff');
  return false;
}

function waitForConfiguration({ container, become, tell }: Standing, message: string): false {
  tell('Normal', 'Pulled', presentMessage(container.image ?? ''));
  tell('Warning', 'Failed', `Error: ${message}`);
  become({ waiting: { reason: 'CreateContainerConfigError', message } });
  return false;
}

function failToStart({ id, ended, become, tell }: Standing, message: string): void {
  const at = { startedAt: '1970-01-01T00:00:00Z', finishedAt: timeOf(), containerID: `containerd://${id}` };
  tell('Warning', 'Failed', `Error: ${message}`);
  become({ terminated: { exitCode: 128, reason: 'StartError', message, ...at } });
  ended.resolve(128);
}

function terminate(standing: Standing, exitCode: number, startedAt: string, place: Place): void {
  const { container, id, log, isOutOfMemory } = standing;
  const reason = isOutOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
  const message = messageOf(container, place, exitCode === 0 ? null : log);
  const told = message === '' ? {} : { message };
  const at = { startedAt, finishedAt: timeOf(), containerID: `containerd://${id}` };
  standing.running = null;
  standing.become({ terminated: { exitCode, reason, ...told, ...at } });
  standing.ended.resolve(exitCode);
}

/** Of a failure the end of its log, where it left no words and the pod wants that. */
function messageOf(container: Container, { paths }: Place, failed: ContainerLog | null): string {
  const path = paths.get(container.terminationMessagePath ?? '') ?? '';
  const said = readEnd(path);
  if (said !== '' || container.terminationMessagePolicy !== 'FallbackToLogsOnError') return said;
  return failed?.tail(fallbackBytesMax) ?? '';
}

function readEnd(path: string): string {
  try {
    const bytes = readFileSync(path);
    return bytes.subarray(Math.max(0, bytes.length - messageBytesMax)).toString('utf8');
  } catch {
    return '';
  }
}

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

export function createContainerLife(
  container: Container,
  role: Role,
  waitingFor: string,
  around: ContainerSurroundings,
): ContainerLife {
  const id = randomBytes(32).toString('hex');
  const ended = Promise.withResolvers<number>();
  let state: ContainerState = { waiting: { reason: waitingFor } };
  let log: ContainerLog | null = null;
  let running: ContainerProcess | null = null;
  let isOutOfMemory = false;
  const { image: name = '' } = container;
  const become = (next: ContainerState): void => {
    state = next;
    around.changed();
  };
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string): void =>
    around.tell(container, role, type, reason, message);

  const terminate = (exitCode: number, startedAt: string, place: Place): void => {
    const reason = isOutOfMemory ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error';
    const message = messageOf(container, place, exitCode === 0 ? null : log);
    const told = message === '' ? {} : { message };
    running = null;
    become({
      terminated: { exitCode, reason, ...told, startedAt, finishedAt: timeOf(), containerID: `containerd://${id}` },
    });
    ended.resolve(exitCode);
  };

  const wait = (reason: string, message: string): false => {
    become({ waiting: { reason, message } });
    if (reason !== 'ErrImagePull') {
      tell('Warning', reason === 'InvalidImageName' ? 'InspectFailed' : reason, message);
      tell('Warning', 'Failed', `Error: ${reason}`);
      return false;
    }
    tell('Normal', 'Pulling', `Pulling image "${name}"`);
    tell('Warning', 'Failed', `Failed to pull image "${name}": ${message}`);
    tell('Warning', 'Failed', 'Error: ErrImagePull');
    become({
      waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${name}": ErrImagePull: ${message}` },
    });
    tell('Normal', 'BackOff', `Back-off pulling image "${name}"`);
    tell('Warning', 'Failed', 'Error: ImagePullBackOff');
    return false;
  };

  const tellPulled = (): void => tell('Normal', 'Pulled', `Container image "${name}" already present on machine`);

  const waitForConfiguration = (message: string): false => {
    tellPulled();
    tell('Warning', 'Failed', `Error: ${message}`);
    become({ waiting: { reason: 'CreateContainerConfigError', message } });
    return false;
  };

  const failToStart = (message: string): void => {
    const at = { startedAt: '1970-01-01T00:00:00Z', finishedAt: timeOf(), containerID: `containerd://${id}` };
    tell('Warning', 'Failed', `Error: ${message}`);
    become({ terminated: { exitCode: 128, reason: 'StartError', message, ...at } });
    ended.resolve(128);
  };

  return {
    container,
    role,
    id,
    get state() {
      return state;
    },
    get log() {
      return log;
    },
    ended: ended.promise,
    async begin(pod) {
      const found = findImage(around.images, container);
      if (found.kind === 'absent') return wait(found.reason, found.message);
      const values = environmentOf(container, pod, around.configuration);
      if (typeof values === 'string') return waitForConfiguration(values);
      const place = { paths: pathsOf(container, around.folder), environment: Object.fromEntries(values) };
      const program = found.image(withWords(container, values), place);
      if (program === null) return wait('ErrImagePull', `${name}: not found`);
      tellPulled();
      tell('Normal', 'Created', `Created container: ${container.name}`);
      log = createContainerLog();
      const environment = { HOSTNAME: pod.metadata.name, ...program.environment, ...place.environment };
      const { command, cwd = around.folder } = program;
      const started = await startContainer({ id, command, environment, cwd, log });
      if (typeof started === 'string') {
        failToStart(started);
        return true;
      }
      running = started;
      tell('Normal', 'Started', `Started container ${container.name}`);
      const startedAt = timeOf();
      void started.ended.then((exitCode) => terminate(exitCode, startedAt, place));
      become({ running: { startedAt } });
      return true;
    },
    warn() {
      if (running === null) return;
      tell('Normal', 'Killing', `Stopping container ${container.name}`);
      running.warn();
    },
    kill: () => running?.kill(),
    endAsOutOfMemory() {
      isOutOfMemory = true;
      running?.kill();
    },
  };
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

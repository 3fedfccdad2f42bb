/**
 * The composition root: the one place that picks implementations. `openSystem` reads as the recipe of the system; the
 * commands and the server use what it gives.
 */
import { mkdir, statfs } from 'node:fs/promises';
import { availableParallelism, hostname } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { createCompiler } from './compile/compiler.ts';
import type { Compiler } from './compile/compile.ts';
import { Conductor } from './conductor/conductor.ts';
import type { ConductorLog, DiskSpace, Project, ServerPorts } from './conductor/ports.ts';
import { Retention } from './conductor/retention.ts';
import type { Config } from './config/config.ts';
import type { FleetConfig } from './config/fleet.ts';
import type { KubernetesConfig } from './config/kubernetes.ts';
import type { GitHubConfig, RepositoryConfig } from './config/repository.ts';
import { openAttemptFiles } from './executor/desk/attempt-files.ts';
import { Desk, lateReports } from './executor/desk/desk.ts';
import type { Placing } from './executor/desk/placing.ts';
import { createRemoteExecutor } from './executor/desk/remote-executor.ts';
import { createTokens, openTokenKey } from './executor/desk/tokens.ts';
import type { ExecutorPorts } from './executor/executor.ts';
import { openErrandQueues } from './executor/fleet/jobs.ts';
import { Dispatches } from './executor/fleet/dispatches.ts';
import { loadKubeConfig } from './executor/kubernetes/kube-config.ts';
import { podPatience } from './executor/kubernetes/pod-end.ts';
import { instanceOf } from './executor/kubernetes/pod-name.ts';
import { openNamespaces } from './executor/kubernetes/namespaces.ts';
import type { PodSettings } from './executor/kubernetes/pod.ts';
import { Pods } from './executor/kubernetes/pods.ts';
import { createLocalExecutor } from './executor/local/local.ts';
import type { Forge } from './forge/forge.ts';
import { createGitHubForge } from './forge/github/github.ts';
import { createRateLimiter, type RateLimiter } from './forge/github/rate-limit.ts';
import { createLocalForge } from './forge/local.ts';
import { parseSha, type GitRepository, type NoteChange, type Sha } from './git/git.ts';
import { openMirror } from './git/mirror.ts';
import { createSourceTrees } from './git/source-trees.ts';
import { lockFolder } from './journal/folder-lock.ts';
import type { Journal } from './journal/journal.ts';
import { openSqliteJournal } from './journal/sqlite.ts';
import { createNotifier } from './notify/channels.ts';
import { createDirectoryStores } from './outputs/directory.ts';
import type { ArtifactStore, ArtifactStreams, LogStore } from './outputs/outputs.ts';
import { MemoryQueue, systemTimer } from './queue/memory.ts';
import { openGitRegistry } from './registry/git.ts';
import { createSensors } from './sensors/outside.ts';
import { openAgentServer } from './server/agent-server.ts';
import type { Clock } from './std/clock.ts';
import { ProblemError } from './std/problem.ts';
import { unreachable } from './std/unreachable.ts';
import { createIds } from './ids.ts';

export interface System {
  readonly conductor: Conductor;
  readonly journal: Journal;
  readonly artifacts: ArtifactStore & ArtifactStreams;
  readonly logs: LogStore;
  readonly retention: Retention;
  readonly compiler: Compiler;
  readonly projects: ReadonlyMap<string, Project>;
  readonly clock: Clock;
  readonly newId: () => string;
  close(): Promise<void>;
}

export interface SystemOptions {
  readonly config: Config;
  readonly log: ConductorLog;
  /** Results of repositories without a forge, for people. */
  readonly print: (line: string) => void;
  /** The server's own address; null where no server runs. Asked late, because the port may be chosen by the system. */
  readonly publicUrl: () => string | null;
  readonly clock?: Clock;
  /** Nobody is expected to conduct afterwards: what has ended elsewhere is seen to go. */
  readonly isLast?: boolean;
}

/** Garbage is collected when the heap is so much larger than what lives in it; V8 would wait for four times that. */
const heapGrowthPercent = 100;

export async function openSystem(options: SystemOptions): Promise<System> {
  // Not among the options that NODE_OPTIONS may have. V8 reads it after each collection, so it holds from the next one on.
  setFlagsFromString(`--heap-growing-percent=${heapGrowthPercent}`);
  const { config, log } = options;
  const clock = options.clock ?? { now: Date.now };
  await mkdir(config.stateDirectory, { recursive: true });
  const journal = await openJournal(config, clock);
  const { artifacts, logs, ...old } = createDirectoryStores({
    directory: config.sharedDirectory,
    clock,
    trouble(trouble) {
      if (trouble === null) log.info({}, 'the logs of steps can be written again');
      else log.warn({ ...trouble }, 'the log of a step cannot be written: it goes on, and lines of it will be missing');
    },
  });
  const compiler = await createCompiler();
  const services: ProjectServices = { options, clock, limiterOf: sharedLimiters(clock) };
  const projects = new Map(
    config.repositories.map((repository) => [repository.name, openProject(repository, services)]),
  );
  const mirrors = new Map([...projects].map(([name, project]) => [name, project.git]));
  const trees = createSourceTrees({ directory: join(config.stateDirectory, 'sources'), repositories: mirrors, clock });

  const ground: ExecutorGround = {
    config,
    isLast: options.isLast ?? false,
    artifacts,
    logs,
    clock,
    log,
    sourceTree: (repository, sha) => trees.tree(repository, sha),
  };
  const executors = executorsOf(ground);
  const onError = (error: unknown, keys: readonly string[]): void =>
    log.error({ error: String(error), keys }, 'a turn threw');
  const newId = createIds(clock);
  const retention = new Retention({ clock, journal, artifacts, ...old, projects, kept: config.retention, log });
  const conductor = new Conductor({
    clock,
    journal,
    openExecutor: executors.open,
    openQueue: <Key extends string>() => new MemoryQueue<Key>({ clock, onError }),
    stopwatch: { now: () => performance.now() },
    timer: systemTimer,
    place: () => ({ pid: process.pid, host: hostname(), url: options.publicUrl() }),
    sensors: createSensors({ stores: config.objectStores, secret: config.secret, now: () => clock.now() }),
    notifier: createNotifier({ ...config.notifications, clock }),
    pools: config.pools,
    artifacts,
    logs,
    retention: Object.values(config.retention).every((ms) => ms === null) ? null : retention,
    diskSpace: () => diskSpaceOf(config.stateDirectory),
    compiler,
    projects,
    newId,
    runUrl(runId) {
      const base = options.publicUrl();
      return base === null ? null : `${base}/runs/${runId}`;
    },
    log,
  });

  return {
    conductor,
    journal,
    artifacts,
    logs,
    retention,
    compiler,
    projects,
    clock,
    newId,
    async close() {
      await conductor.stop();
      await executors.close();
      await compiler.close();
      await Promise.all([...mirrors.values()].map((mirror) => mirror.close()));
      await journal.close();
    },
  };
}

async function diskSpaceOf(folder: string): Promise<DiskSpace> {
  const { bavail, blocks, bsize } = await statfs(folder);
  return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
}

/** What executors stand on, wherever they run attempts. */
interface ExecutorGround extends Pick<ExecutorPorts, 'sourceTree'> {
  readonly config: Config;
  readonly isLast: boolean;
  readonly artifacts: ArtifactStore & ArtifactStreams;
  readonly logs: LogStore;
  readonly clock: Clock;
  readonly log: ConductorLog;
}

interface Executors {
  /** For whoever begins to conduct. */
  readonly open: ServerPorts['openExecutor'];
  readonly close: () => Promise<void>;
}

function executorsOf(ground: ExecutorGround): Executors {
  const { kubernetes, fleet } = ground.config.executor;
  if (kubernetes !== null) return podExecutors(kubernetes, ground);
  return fleet === null ? localExecutors(ground) : fleetExecutors(fleet, ground);
}

function localExecutors({ config, sourceTree, artifacts, logs, clock }: ExecutorGround): Executors {
  return {
    open: (report) =>
      createLocalExecutor({
        artifacts,
        logs,
        clock,
        ports: { report, sourceTree, secret: config.stepSecret },
        hidden: config.hidden,
        directory: join(config.stateDirectory, 'executor'),
        slots: config.executor.slots ?? Math.max(4, availableParallelism()),
        nodeModules: config.executor.nodeModules,
      }),
    close: () => Promise.resolve(),
  };
}

function podExecutors(kubernetes: KubernetesConfig, ground: ExecutorGround): Executors {
  const settings = podSettings(ground.config, kubernetes);
  return remoteExecutors(
    kubernetes.listen,
    ground,
    (parts) =>
      new Pods({
        ...parts,
        startMs: kubernetes.startMs ?? undefined,
        imageMs: kubernetes.imageMs,
        lostMs: kubernetes.lostMs,
        settings: { ...settings, instance: instanceOf(parts.key) },
        keep: kubernetes.keep,
        lastPatienceMs: ground.isLast ? podPatience.lastMs : null,
        namespaces: openNamespaces(join(ground.config.sharedDirectory, 'namespaces.json')),
        loadConfig: (client) => loadKubeConfig(client, kubernetes),
      }),
  );
}

function fleetExecutors(fleet: FleetConfig, ground: ExecutorGround): Executors {
  const { log } = ground;
  return remoteExecutors(fleet.listen, ground, (parts) => {
    const queues = openErrandQueues(fleet.redis, (news, isTrouble) => log[isTrouble ? 'error' : 'info']({}, news));
    return new Dispatches({ ...parts, ...fleet, queues });
  });
}

interface RemoteParts extends Pick<ExecutorGround, 'artifacts' | 'logs' | 'clock'> {
  readonly desk: Desk;
  /** Of this installation. */
  readonly key: Uint8Array;
  readonly trusted: () => boolean;
  readonly trouble: (error: unknown, what: string) => void;
}

const remoteSlots = 100;

/** Of attempts on other machines, whose agents are served at `listen`. */
function remoteExecutors(
  listen: { readonly host: string; readonly port: number },
  ground: ExecutorGround,
  openPlacing: (parts: RemoteParts) => Placing,
): Executors {
  const { config, artifacts, logs, clock, log, sourceTree } = ground;
  const key = openTokenKey(config.sharedDirectory);
  const files = openAttemptFiles(join(config.sharedDirectory, 'attempts'));
  const trouble = (error: unknown, what: string): void => log.error({ error: String(error) }, what);
  let openDesk: () => Desk | null = () => null;
  const agents = openAgentServer(listen, { desk: () => openDesk(), log });
  return {
    open(report, trusted) {
      agents.listen();
      const ports = { sourceTree, secret: config.stepSecret, late: lateReports(report, clock) };
      const desk = new Desk({ ...ground, ...ports, files, tokens: createTokens(key) });
      openDesk = () => (trusted() ? desk : null);
      const placing = openPlacing({ desk, key, artifacts, logs, clock, trusted, trouble });
      const slots = config.executor.slots ?? remoteSlots;
      return createRemoteExecutor({ placing, desk, files, logs, clock, slots, report, sourceTree, trouble });
    },
    close: () => agents.close(),
  };
}

/** What the configuration says of pods. */
export function podSettings(config: Config, kubernetes: KubernetesConfig): Omit<PodSettings, 'instance'> {
  return { ...kubernetes, repositoryPods: new Map(config.repositories.map(({ name, pod }) => [name, pod])) };
}

async function openJournal(config: Config, clock: Clock): Promise<Journal> {
  switch (config.store.kind) {
    case 'sqlite':
      return openSqliteJournal({ directory: config.stateDirectory, clock });
    case 'postgres':
      return openSharedJournal(config.store.url, config.stateDirectory, clock);
    default:
      return unreachable(config.store);
  }
}

/** Servers share the database, and never a folder of state: mirrors, scratch and the records of attempts have one owner. */
async function openSharedJournal(url: string, stateDirectory: string, clock: Clock): Promise<Journal> {
  const { openPostgresJournal } = await import('./journal/postgres.ts');
  const lock = lockFolder(stateDirectory);
  if (!lock.ok) throw new ProblemError(lock.error);
  try {
    const journal = await openPostgresJournal({ url, clock, random: Math.random });
    return {
      ...journal,
      async close() {
        await journal.close();
        lock.value.release();
      },
    };
  } catch (error) {
    lock.value.release();
    throw error;
  }
}

interface ProjectServices {
  readonly options: SystemOptions;
  readonly clock: Clock;
  readonly limiterOf: (auth: GitHubConfig['auth']) => RateLimiter;
}

/** GitHub counts by token or installation: repositories that share one share its limiter. */
function sharedLimiters(clock: Clock): ProjectServices['limiterOf'] {
  const limiters = new Map<string, RateLimiter>();
  return (auth) => {
    const account = auth.kind === 'token' ? auth.token : `app ${auth.appId} ${auth.installationId ?? ''}`;
    const limiter = limiters.get(account) ?? createRateLimiter(clock);
    limiters.set(account, limiter);
    return limiter;
  };
}

function openProject(repository: RepositoryConfig, services: ProjectServices): Project {
  const { options, clock } = services;
  const forges: Forge[] = [];
  const git = openMirror({
    ...mirrorOf(repository, options.config),
    credentials: () => forges[0]?.gitCredentials() ?? Promise.resolve(null),
    clock,
  });
  const forge = openForge(repository, git, services);
  forges.push(forge);
  return {
    name: repository.name,
    git,
    forge,
    registry: openGitRegistry({ repository: git }),
    pollMs: repository.pollMs,
    pollWithHooksMs: repository.pollWithHooksMs,
  };
}

/** The files and the models of one repository, for a command that only looks. Null: `contender.yaml` has none of that name. */
export function openToLook(config: Config, name: string, clock: Clock): Pick<Project, 'git' | 'registry'> | null {
  const repository = config.repositories.find((one) => one.name === name);
  if (repository === undefined) return null;
  const git = openMirror({ ...mirrorOf(repository, config), credentials: () => Promise.resolve(null), clock });
  return { git, registry: openGitRegistry({ repository: git }) };
}

function mirrorOf(
  { url, name }: RepositoryConfig,
  config: Config,
): { readonly url: string; readonly directory: string } {
  return { url, directory: join(config.stateDirectory, 'mirrors', `${name.replaceAll(/[^\w.-]/g, '+')}.git`) };
}

function openForge(repository: RepositoryConfig, git: GitRepository, services: ProjectServices): Forge {
  const { options, clock, limiterOf } = services;
  const { github } = repository;
  if (github === null) {
    return createLocalForge({
      async changeNotes(changes) {
        const parsed = new Map<Sha, NoteChange>();
        for (const [text, change] of changes) {
          const sha = parseSha(text);
          if (!sha.ok) return sha;
          parsed.set(sha.value, change);
        }
        return git.changeNotes('contender', parsed, clock.now());
      },
      clock,
      pause,
      print: options.print,
    });
  }
  const forge = createGitHubForge({ ...github, clock, limiter: limiterOf(github.auth) });
  if (!forge.ok) throw new ProblemError(forge.error);
  return forge.value;
}

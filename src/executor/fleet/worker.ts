/**
 * The program of a machine of the fleet: takes errands from one queue, so many at once, and carries out each with an agent
 * that asks the server. Redis says only that there may be something to do, and the server is the one that the worker was
 * started with, so whoever writes to Redis cannot have it run anything.
 */
import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import type { Queue, Worker } from 'bullmq';
import type { Clock } from '../../std/clock.ts';
import { createAgent, type Agent, type AgentOptions } from '../agent/agent.ts';
import { AttemptRevoked, createLink, type Link } from '../agent/link.ts';
import { createSources, type Sources } from '../agent/sources.ts';
import { unpack } from '../agent/unpack.ts';
import { openMachine, type OpenMachine } from '../local/machine.ts';
import { keyPrefix, type Errand, type ErrandJob } from './jobs.ts';
import { connectRedis, isGivenUp, renewing, type RedisPlace } from './redis.ts';
import { messageOfError } from '../../std/error-message.ts';

export interface FleetWorkerOptions {
  readonly redis: RedisPlace;
  readonly queue: string;
  readonly slots: number;
  /** Where the server listens for agents, without a path. */
  readonly serverUrl: string;
  /** How people know this machine. */
  readonly place: string;
  /** Of this worker alone. */
  readonly directory: string;
  readonly nodeModules: string | null;
  readonly environment: { readonly [name: string]: string };
  readonly clock: Clock;
  readonly say: (text: string) => void;
  /** Tests have less patience with a connection that brings nothing. */
  readonly watchMs?: number;
}

export interface FleetWorker {
  /** How many errands it carries out now. */
  readonly busy: number;
  /** Takes nothing more; resolves when what it carries out has ended. */
  drain(): Promise<void>;
  /** Ends what it carries out, each with its grace; the server has it tried elsewhere. */
  end(): void;
  /** Says nothing more to a server that may not be there. */
  abandon(): void;
}

const limits = {
  /** A worker that died holds what it had not begun no longer than these two. */
  lockMs: 15_000,
  stalledMs: 10_000,
  watchMs: 10_000,
  /** For Redis to hear that a worker goes. */
  closeMs: 3000,
  /** So many looks at a queue where something waits, and nothing comes. */
  idleLooksMax: 2,
} as const;

export async function startFleetWorker(options: FleetWorkerOptions): Promise<FleetWorker> {
  const { redis, queue, slots, directory, say, watchMs = limits.watchMs } = options;
  const closing = new AbortController();
  // What a worker that was killed has left; its processes are gone.
  for (const left of ['errands', 'machine', 'sources']) rmSync(join(directory, left), { recursive: true, force: true });
  const [{ Worker: Taker, Queue: Waiting }, taking, looking] = await Promise.all([
    import('bullmq'),
    connectRedis(redis, { waits: true, tell: say, end: closing.signal }),
    connectRedis(redis, { waits: false, tell: () => undefined, end: closing.signal, commandMs: watchMs }),
  ]);
  const errands = new Errands(options);
  const prefix = keyPrefix(redis);

  let told = '';
  const openTaker = (): Worker<Errand> => {
    const taker = new Taker<Errand>(queue, (job) => errands.carryOut(job), {
      connection: taking,
      prefix,
      concurrency: Math.max(1, slots - errands.busy),
      lockDuration: limits.lockMs,
      stalledInterval: limits.stalledMs,
      removeOnComplete: { count: 0 },
      removeOnFail: { count: 0 },
    });
    taker.on('error', (error) => {
      // A connection that is away tells of itself, and whose lock was lost is told by the desk.
      if (taking.status !== 'ready' || isOfLock(error) || error.message === told) return;
      told = error.message;
      say(`Steps cannot be taken from the queue "${queue}": ${error.message}`);
    });
    return taker;
  };
  let taker = openTaker();
  const waiting: Queue<Errand> = new Waiting(queue, { connection: looking, prefix, skipMetasUpdate: true });
  waiting.on('error', () => undefined);

  /** After a fail-over a connection may stand, and bring nothing for ever. */
  let [idleLooks, takenBefore] = [0, 0];
  const maySomethingWait = async (): Promise<boolean> => {
    try {
      return (await renewing(looking, () => waiting.getWaitingCount())) > 0;
    } catch (error) {
      // A Redis that is known to be away brings nothing either; one that says nothing may have all.
      return isGivenUp(error);
    }
  };
  const watch = async (): Promise<void> => {
    const isIdle = errands.busy < slots && errands.taken === takenBefore && (await maySomethingWait());
    takenBefore = errands.taken;
    idleLooks = isIdle ? idleLooks + 1 : 0;
    if (idleLooks < limits.idleLooksMax) {
      if (errands.busy === 0 && taker.concurrency < slots) taker.concurrency = slots;
      return;
    }
    idleLooks = 0;
    say(`Something may wait in the queue "${queue}" and does not come: Redis is asked anew.`);
    const before = taker;
    if (taking.status === 'ready') taking.disconnect(true);
    taker = openTaker();
    await before.close(true);
  };
  let isWatching = false;
  const watcher = setInterval(() => {
    if (isWatching) return;
    isWatching = true;
    void watch().finally(() => (isWatching = false));
  }, watchMs);
  return {
    get busy() {
      return errands.busy;
    },
    async drain() {
      clearInterval(watcher);
      // Waits for the jobs that it has, and tells Redis how they ended, where that is there to be told.
      const isAway = taking.status !== 'ready';
      const closed = Promise.allSettled([taker.close(isAway), waiting.close()]);
      await errands.allOver();
      await Promise.race([closed, pause(limits.closeMs, undefined, { ref: false })]);
      closing.abort();
      await errands.close();
    },
    end: () => errands.end(),
    abandon: () => errands.abandon(),
  };
}

/** Redis has forgotten the job, or another worker has it. */
function isOfLock({ message }: Error): boolean {
  return /lock|stalled|Missing key for job/i.test(message);
}

class Errands {
  readonly #options: FleetWorkerOptions;
  readonly #agents = new Map<Agent, { readonly link: Link; readonly over: Promise<void> }>();
  readonly #machine: OpenMachine;
  readonly #sources: Sources;
  #isEnding = false;
  #taken = 0;

  constructor(options: FleetWorkerOptions) {
    const { directory, environment } = options;
    this.#options = options;
    this.#machine = openMachine({ directory: join(directory, 'machine'), environment });
    this.#sources = createSources(join(directory, 'sources'));
  }

  get busy(): number {
    return this.#agents.size;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Never rejects: how it ended is the server's to know, and a job that failed would say less. */
  async carryOut({ data }: ErrandJob): Promise<void> {
    const { say } = this.#options;
    this.#taken += 1;
    // Not begun, it is sent to another worker.
    if (this.#isEnding) return;
    // Whoever writes to Redis wrote it.
    const { id, token } = data as { readonly id?: unknown; readonly token?: unknown };
    if (typeof id !== 'string' || typeof token !== 'string') {
      const { queue, redis } = this.#options;
      return say(
        `A job in the queue "${queue}" (keys "${keyPrefix(redis)}") is not Contender's and is dropped: another program uses the same queue in the same Redis. Give one of the two another prefix (executor.fleet.prefix).`,
      );
    }
    const directory = join(this.#options.directory, 'errands', randomBytes(8).toString('hex'));
    const link = this.#linkOf(id, token);
    const agent = this.#agentOf(link, directory);
    const over = this.#run(agent, id, directory);
    this.#agents.set(agent, { link, over });
    await over;
    this.#agents.delete(agent);
  }

  end(): void {
    this.#isEnding = true;
    for (const agent of this.#agents.keys()) agent.stop();
  }

  abandon(): void {
    for (const { link } of this.#agents.values()) link.close();
  }

  async allOver(): Promise<void> {
    while (this.#agents.size > 0) await Promise.allSettled([...this.#agents.values()].map(({ over }) => over));
  }

  /** When all are over. */
  close(): Promise<void> {
    return this.#machine.close();
  }

  async #run(agent: Agent, id: string, directory: string): Promise<void> {
    const { say } = this.#options;
    try {
      const { outcome } = await agent.run();
      say(`${id} has ended: ${outcome.kind}.`);
    } catch (error) {
      if (error instanceof AttemptRevoked) say(`${id} is not, or no longer, to be carried out here.`);
      else say(`${id} is given up: ${messageOfError(error)}`);
    }
    await rm(directory, { recursive: true, force: true, maxRetries: 3 }).catch((error: unknown) => say(String(error)));
  }

  #linkOf(id: string, token: string): Link {
    const { serverUrl, say } = this.#options;
    return createLink({ url: serverUrl, token, say: (text) => say(`${id}: ${text}`) });
  }

  #agentOf(link: Link, directory: string): Agent {
    const { place, nodeModules, clock } = this.#options;
    const openMachine = (): ReturnType<AgentOptions['openMachine']> => ({
      machine: this.#machine,
      close: () => Promise.resolve(),
    });
    const sources = this.#sources;
    const own = { link, place, directory, secretsFolder: null, nodeModules };
    return createAgent({ ...own, openMachine, sources, clock, unpack });
  }
}

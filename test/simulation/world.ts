/**
 * Everything that outlives a server: the journal, the remote, the forge, the registry, the machines that servers live on,
 * and the time. One seed makes one world.
 */
import type { Pools } from '../../src/admission/admission.ts';
import type { ConductorLog, ConductorPorts } from '../../src/conductor/ports.ts';
import type { GitRepository } from '../../src/git/git.ts';
import type { Commit, Journal } from '../../src/journal/journal.ts';
import { ArtifactDamagedError, type ArtifactStream } from '../../src/outputs/outputs.ts';
import { openMemoryRegistry, type MemoryRegistry } from '../../src/registry/memory.ts';
import { drawFaults, noFaults, type FaultClass, type Faults } from './faults.ts';
import { ForgeState } from './forge.ts';
import { History } from './history.ts';
import { overlookedLimit } from './limits.ts';
import { createFakeWorld } from '../../src/executor/fake.ts';
import { createMachine, type Machine } from './machine.ts';
import type { Mutant } from './mutants.ts';
import { Office } from './office.ts';
import { drawCatalogue, drawPools, type Catalogue } from './pipelines.ts';
import { askedInVain } from './promises.ts';
import { Random } from './random.ts';
import { Remote } from './repository.ts';
import { Server } from './server.ts';
import { openEmptyJournal } from './store.ts';
import { VirtualTime } from './virtual-time.ts';

export interface Violation {
  /** Of the table in docs/simulation.md. */
  readonly promise: string;
  readonly what: string;
  readonly step: number;
}

export interface WorldOptions {
  readonly seed: number;
  readonly off: ReadonlySet<FaultClass>;
  /** Hears of everything that happens, for whoever replays a seed. */
  readonly tell: ((line: string) => void) | null;
  /** In place of what the seed would draw. */
  readonly slots?: number;
  readonly pools?: Pools;
  readonly catalogue?: Catalogue;
  readonly mutant?: Mutant;
  /** 2: on two machines, on the same journal; 1: one that holds its store by itself. As the seed will have it, unless given. */
  readonly servers?: 1 | 2 | undefined;
  /** Repositories that are watched as well, and how their Git differs. The world keeps no account of them. */
  readonly beside?: Beside | undefined;
}

export type Beside = Readonly<Record<string, Partial<GitRepository>>>;

/** What becomes of one commit, where a test wants it so; null: whatever the faults say. */
export type Interference = (commits: readonly Commit[]) => 'refused' | 'unanswered' | null;

/** Ordinary days, and nights on which the clocks of Berlin and Lord Howe change. */
const beginnings = [
  Date.UTC(2026, 0, 14, 9, 59),
  Date.UTC(2026, 2, 29, 0, 28),
  Date.UTC(2026, 9, 25, 0, 10),
  Date.UTC(2026, 9, 3, 15, 20),
  Date.UTC(2026, 3, 4, 14, 40),
];

export class World {
  readonly mutant: Mutant;
  readonly random: Random;
  readonly time: VirtualTime;
  readonly remote: Remote;
  readonly forge = new ForgeState();
  /** Ids of what the channel heard of. */
  readonly told = new Set<string>();
  readonly registry: MemoryRegistry = openMemoryRegistry();
  readonly office: Office;
  readonly catalogue: Catalogue;
  readonly history: History;
  readonly journal: Journal;
  readonly slots: number;
  readonly pools: Pools;
  readonly log: ConductorLog;
  /** The conductor hands the store on, and asks it only for what it would reuse or promote. */
  readonly artifacts: ConductorPorts['artifacts'];
  /** Artifacts that the store does not have any more, where a test wants it so. */
  readonly gone = new Set<string>();
  /** And those whose bytes are others. */
  readonly damaged = new Set<string>();
  readonly tell: (line: string) => void;
  #latest = 0;
  faults: Faults;
  /** Commits are refused or without an answer at times, in this world. */
  readonly isDoubtful: boolean;
  interfere: Interference = () => null;
  /** So many readings of the events of a run are refused, where a test wants it so. */
  refuseReads = 0;
  /** Whether what is looked for outside, and files, are there, where a test wants it so; null: as chance will have it. */
  isThere: boolean | null = null;
  /** How long every attempt takes, where a test wants it so. */
  attemptMs: number | null = null;
  runsImages = true;
  /** Of the disk of each server. */
  freeBytes = 2 ** 40;
  /** How far the clock on the wall is from the time. */
  skewMs = 0;
  /** Since when the server is up, the database answers as ever, and the clock was not set. */
  steadySince = Number.POSITIVE_INFINITY;
  lives = 0;
  /** Those that live. */
  readonly servers: Server[] = [];
  readonly machines: readonly Machine[];
  readonly beside: Beside;
  readonly #listeners = new Map<Server, (word: string) => void>();
  readonly #hintRandom: Random;
  #steadyEpoch: number | null = null;
  steps = 0;
  violation: Violation | null = null;

  static async make(options: WorldOptions): Promise<World> {
    const random = new Random(options.seed);
    const drawn = random.fork('servers').chance(0.5) ? 2 : 1;
    const servers = options.servers ?? options.mutant?.servers ?? drawn;
    // The database's clock is the world's, whatever those of the servers say.
    const clock = { now: () => 0 };
    const journal = await openEmptyJournal(clock, servers === 2);
    const world = new World({ ...options, servers }, journal, random);
    clock.now = () => world.time.now;
    return world;
  }

  private constructor({ seed: _seed, off, tell, ...given }: WorldOptions, journal: Journal, random: Random) {
    this.random = random;
    this.mutant = given.mutant ?? { what: 'nothing' };
    this.journal = this.mutant.journal?.(journal) ?? journal;
    this.tell = tell === null ? () => undefined : (line) => tell(`${this.steps} ${this.clockText()} ${line}`);
    this.log = this.#logOf();
    this.faults = drawFaults(this.random.fork('faults'), off, given.mutant?.only);
    const { faults } = this;
    this.isDoubtful = faults['journal-refused'] + faults['journal-unanswered'] + faults['commit-late'] > 0;
    const skews = this.random.fork('machines');
    // Half of the worlds have their steps in a cluster, where they go on without their server.
    const cluster = this.random.fork('cluster').chance(0.5) ? createFakeWorld(true) : undefined;
    this.machines = ['alpha', 'beta']
      .slice(0, given.servers ?? 1)
      .map((name) => createMachine(name, faults.clock > 0 ? skews.between(-300_000, 300_000) : 0, cluster));
    this.#hintRandom = this.random.fork('hints');
    this.office = new Office({ violated: this.violated, now: () => this.time.now, alone: journal.alone });
    this.beside = given.beside ?? {};
    this.slots = given.slots ?? this.random.pick([1, 2, 4, 8]);
    this.pools = given.pools ?? drawPools(this.random.fork('pools'), this.slots);
    this.catalogue = given.catalogue ?? drawCatalogue(this.random.fork('catalogue'), this.slots, this.pools);
    this.time = new VirtualTime(this.random.pick(beginnings), this.random.fork('time'));
    this.remote = new Remote(this.random.fork('commits'));
    const answersWithinMs = faults.slow > 0 ? 45_000 : 3000;
    this.history = new History({
      violated: this.violated,
      definitionOf: ({ pipeline }) => this.catalogue.definition(pipeline, 0),
      now: () => this.time.now,
      filesOf: (sha) => [...this.remote.commits.values()].find((commit) => commit.sha === sha)?.files ?? new Map(),
      wasTagged: (ref, sha) => this.remote.tags.everStood(ref, sha),
      decidedWithinMs: faults.slow + faults.freeze > 0 ? 120_000 : 20_000,
      // A server that is not up has no lines, and a turn that could not be kept is none.
      passedBy: () => {
        const by = this.time.now - answersWithinMs;
        return this.isDoubtful || by < this.steadySince ? Number.NEGATIVE_INFINITY : by;
      },
    });
    const has = (sha256: string): Promise<boolean> => Promise.resolve(!this.gone.has(sha256));
    const openVerified = (sha256: string): Promise<ArtifactStream | null> => {
      const bytesOf = async function* (isDamaged: boolean): AsyncGenerator<Uint8Array> {
        if (isDamaged) throw new ArtifactDamagedError(sha256, '0'.repeat(64));
        yield new Uint8Array(1);
      };
      const found = { bytes: 1, content: bytesOf(this.damaged.has(sha256)) };
      return Promise.resolve(this.gone.has(sha256) ? null : found);
    };
    const used = { has, use: has, namedIn: () => Promise.resolve([]), openVerified };
    this.artifacts = new Proxy(used as unknown as World['artifacts'], {
      get: (target, name) =>
        Object.hasOwn(used, name)
          ? Reflect.get(target, name)
          : this.violated('bug', `the conductor used the artifact store: ${String(name)}`),
    });
  }

  /** The first broken promise counts: what follows from it would only mislead. */
  readonly violated = (promise: string, what: string): void => {
    this.violation ??= { promise, what, step: this.steps };
  };

  wallClock(): number {
    return this.time.now + this.skewMs;
  }

  clockText(): string {
    return new Date(this.wallClock()).toISOString().slice(11, 23);
  }

  /** Runs one task of the world. */
  async step(): Promise<void> {
    this.steps += 1;
    if (!(await this.time.step())) this.violated('bug', 'nothing is left to do');
    this.#steady();
    const asked = askedInVain(this);
    if (asked !== null) this.violated(asked.promise, asked.what);
    const limit = overlookedLimit(this);
    if (limit !== null) this.violated(limit.promise, limit.what);
  }

  /** Starts a server on each machine, the second a moment later. */
  begin(): void {
    for (const [index, machine] of this.machines.entries()) {
      if (index === 0) this.#beginOn(machine);
      else this.time.later(this.random.fork('second server').between(0, 20_000), () => this.#beginOn(machine));
    }
  }

  #beginOn(machine: Machine): void {
    this.lives += 1;
    const server = new Server(this, machine);
    this.servers.push(server);
    this.tell(`server ${this.lives} begins on ${machine.name}`);
    server.start(() => this.crash(1000, server));
  }

  /** The one that conducts, and is not frozen. */
  get conducting(): Server | null {
    return this.servers.find((server) => server.conducts) ?? null;
  }

  /** The one that conducts, or any. */
  get server(): Server | null {
    return this.conducting ?? this.servers[0] ?? null;
  }

  /** How often each attempt was begun, on any machine. */
  get begun(): ReadonlyMap<string, number> {
    return new Map(this.machines.flatMap(({ attempts }) => [...attempts.begun]));
  }

  /** Who people and forges reach: one server or the other. */
  anyServer(random: Random): Server | null {
    return this.servers.length === 0 ? null : random.pick(this.servers);
  }

  /** Attempts of servers that should know that they conduct no more. */
  runningBeside(server: Server): readonly string[] {
    const others = this.servers.filter((other) => other !== server && !other.unaware);
    return others.flatMap((other) => other.executor.running());
  }

  /** To all servers but `self`; some are late, and some get lost. */
  hint(word: string, self: Server): void {
    const random = this.#hintRandom;
    for (const [server, heard] of this.#listeners) {
      if (server === self || random.chance(0.1)) continue;
      const ms = random.chance(0.1) ? random.between(0, 5000) : random.between(0, 20);
      server.later(ms, () => heard(word));
    }
  }

  listen(self: Server, heard: (word: string) => void): () => void {
    this.#listeners.set(self, heard);
    return () => this.#listeners.delete(self);
  }

  /** Noted after each step: promises with a time begin when somebody conducts. */
  #steady(): void {
    const epoch = this.conducting === null ? null : this.office.epoch;
    if (epoch === this.#steadyEpoch) return;
    this.#steadyEpoch = epoch;
    this.steadySince = epoch === null ? Number.POSITIVE_INFINITY : this.time.now;
  }

  /** Ends a server at once; another begins later in its place. */
  crash(afterMs: number, server = this.server): void {
    if (server?.alive !== true) return;
    this.tell(`a server on ${server.machine.name} dies`);
    server.die();
    this.#replace(server, afterMs);
  }

  async restart(afterMs: number, server = this.server): Promise<void> {
    if (server?.listening !== true) return;
    this.tell(`a server on ${server.machine.name} stops`);
    await server.stop();
    this.#replace(server, afterMs);
  }

  #replace(server: Server, afterMs: number): void {
    const index = this.servers.indexOf(server);
    if (index === -1) return;
    this.servers.splice(index, 1);
    this.#listeners.delete(server);
    this.#steady();
    this.time.later(afterMs, () => this.#beginOn(server.machine));
  }

  setClock(skewMs: number): void {
    const ahead = Math.max(...this.machines.map((machine) => machine.skewMs));
    this.#latest = Math.max(this.#latest, this.wallClock() + ahead);
    this.skewMs = skewMs;
    this.steadySince = Math.max(this.steadySince, this.time.now);
    this.tell('the clock was set');
  }

  /** No more faults. The clock is put right: what is due at a time stays so, however far the clock is behind it. */
  calm(): void {
    this.faults = noFaults;
    this.setClock(this.skewMs);
    this.skewMs = Math.max(0, this.#latest - this.time.now);
    for (const machine of this.machines) machine.skewMs = 0;
    for (const server of this.servers) if (server.frozen) server.thaw();
  }

  #logOf(): ConductorLog {
    const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      this.tell(`  ${message} ${JSON.stringify(fields)}`);
    return { info: say, warn: say, error: say };
  }
}

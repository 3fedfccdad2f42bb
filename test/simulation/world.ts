/**
 * Everything that outlives a server: the journal, the remote and its mirror, the forge, the registry, what became of the
 * attempts, and the time. One seed makes one world.
 */
import type { Pools } from '../../src/admission/admission.ts';
import type { ConductorLog } from '../../src/conductor/ports.ts';
import { createFakeWorld, type FakeWorld } from '../../src/executor/fake.ts';
import type { Commit, Journal } from '../../src/journal/journal.ts';
import { openSqliteJournal } from '../../src/journal/sqlite.ts';
import type { ArtifactStore } from '../../src/outputs/outputs.ts';
import { openMemoryRegistry, type MemoryRegistry } from '../../src/registry/memory.ts';
import { drawFaults, noFaults, type FaultClass, type Faults } from './faults.ts';
import { ForgeState } from './forge.ts';
import { History } from './history.ts';
import type { Mutant } from './mutants.ts';
import { drawCatalogue, drawPools, type Catalogue } from './pipelines.ts';
import { askedInVain } from './promises.ts';
import { Random } from './random.ts';
import { Mirror, Remote } from './repository.ts';
import { Server } from './server.ts';
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
  /** 2: another server, on another machine, works on the same journal from a few seconds later until the end. */
  readonly servers?: 1 | 2;
}

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
  readonly mirror = new Mirror();
  readonly forge = new ForgeState();
  readonly registry: MemoryRegistry = openMemoryRegistry();
  readonly attempts: FakeWorld = createFakeWorld();
  readonly catalogue: Catalogue;
  readonly history: History;
  readonly journal: Journal;
  readonly slots: number;
  readonly pools: Pools;
  readonly log: ConductorLog;
  /** The conductor hands the store on, and only asks it whether what it would reuse is there. */
  readonly artifacts: ArtifactStore;
  /** Artifacts that the store does not have any more, where a test wants it so. */
  readonly gone = new Set<string>();
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
  /** How far the clock on the wall is from the time. */
  skewMs = 0;
  /** Since when the server is up, the database answers as ever, and the clock was not set. */
  steadySince = Number.POSITIVE_INFINITY;
  lives = 0;
  server: Server | null = null;
  readonly #servers: 1 | 2;
  steps = 0;
  violation: Violation | null = null;

  static async make(options: WorldOptions): Promise<World> {
    const journal = await openSqliteJournal({ directory: null, clock: { now: () => 0 } });
    return new World(options, journal);
  }

  private constructor({ seed, off, tell, ...given }: WorldOptions, journal: Journal) {
    this.random = new Random(seed);
    this.mutant = given.mutant ?? { what: 'nothing' };
    this.journal = this.mutant.journal?.(journal) ?? journal;
    this.tell = tell === null ? () => undefined : (line) => tell(`${this.steps} ${this.clockText()} ${line}`);
    this.log = this.#logOf();
    this.faults = drawFaults(this.random.fork('faults'), off, given.mutant?.only);
    const { faults } = this;
    this.isDoubtful = faults['journal-refused'] + faults['journal-unanswered'] + faults['commit-late'] > 0;
    this.#servers = given.servers ?? 1;
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
      // A server that is not up has no lines, and a turn that could not be kept is none.
      passedBy: () => {
        const by = this.time.now - answersWithinMs;
        return this.isDoubtful || by < this.steadySince ? Number.NEGATIVE_INFINITY : by;
      },
    });
    const has = (sha256: string): Promise<boolean> => Promise.resolve(!this.gone.has(sha256));
    this.artifacts = new Proxy({ has } as unknown as ArtifactStore, {
      get: (_target, name) =>
        name === 'has' ? has : this.violated('bug', `the conductor used the artifact store: ${String(name)}`),
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
    const asked = askedInVain(this);
    if (asked !== null) this.violated(asked.promise, asked.what);
  }

  begin(): void {
    this.lives += 1;
    const server = new Server(this);
    this.server = server;
    this.tell(`server ${this.lives} begins`);
    server.start(
      () => this.steady(),
      () => this.crash(1000),
    );
    if (this.lives === 1 && this.#servers === 2) this.time.later(5000, () => this.#beginAnother());
  }

  /** It lives as long as the world does, and has attempts of its own. */
  #beginAnother(): void {
    this.lives += 1;
    this.tell('another server begins beside it');
    new Server(this, createFakeWorld()).start(
      () => undefined,
      () => this.time.later(1000, () => this.#beginAnother()),
    );
  }

  steady(): void {
    this.steadySince = this.server === null ? Number.POSITIVE_INFINITY : this.time.now;
  }

  /** Ends the server at once; another begins later. */
  crash(afterMs: number): void {
    this.tell(`server ${this.lives} dies`);
    this.server?.die();
    this.server = null;
    this.steady();
    this.time.later(afterMs, () => this.begin());
  }

  async restart(afterMs: number): Promise<void> {
    const { server } = this;
    if (server === null || !server.listening) return;
    this.tell(`server ${this.lives} stops`);
    this.steadySince = Number.POSITIVE_INFINITY;
    await server.stop();
    if (this.server !== server) return;
    this.server = null;
    this.time.later(afterMs, () => this.begin());
  }

  setClock(skewMs: number): void {
    this.#latest = Math.max(this.#latest, this.wallClock());
    this.skewMs = skewMs;
    this.steadySince = Math.max(this.steadySince, this.time.now);
    this.tell('the clock was set');
  }

  /** No more faults. The clock is put right: what is due at a time stays so, however far the clock is behind it. */
  calm(): void {
    this.faults = noFaults;
    this.setClock(this.skewMs);
    this.skewMs = Math.max(0, this.#latest - this.time.now);
  }

  #logOf(): ConductorLog {
    const say = (fields: Readonly<Record<string, unknown>>, message: string): void =>
      this.tell(`  ${message} ${JSON.stringify(fields)}`);
    return { info: say, warn: say, error: say };
  }
}

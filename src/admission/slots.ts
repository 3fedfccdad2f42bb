/**
 * The slots of the executor and of the pools: which attempts hold them, and which run is given the next. An attempt gets
 * a slot of the executor and those of its pool together, or none. Held slots are held by an attempt's id, so that freeing
 * them twice is harmless.
 *
 *   ask ─► in line ──(first, and there is room)──► given ──(asks in its turn)──► reserved ──► held by the attempt
 *             ▲                                      │
 *             └── what a run no longer asks for lapses
 *
 * Each pool has a line, and there is one for steps without a pool. Within a line nobody overtakes; a line whose pool is
 * full keeps no other waiting. Of the first of the lines, the one with the highest priority is given a slot, among equals
 * the one that waits longest.
 */
import type { PoolClaim } from '../pipeline/definition.ts';
import { poolMistake, type Claimant, type Pools } from './claims.ts';
import { isBefore, WaitingLine, type Place } from './waiting-line.ts';

/** Of the executor, where `pool` is null. */
export interface SlotsInUse {
  readonly pool: string | null;
  readonly slots: number;
  readonly taken: number;
  /** Runs in line for it. */
  readonly waiting: number;
}

export interface Started {
  readonly id: string;
  readonly step: Claimant;
}

interface Given {
  readonly line: Line;
  readonly place: Place;
}

/** Of a pool; of the steps without one, where `pool` is null: those take slots of the executor alone. */
interface Line {
  readonly pool: string | null;
  readonly slots: number;
  taken: number;
  readonly waiting: WaitingLine;
}

const nothing = { line: null, slots: 0 };

export class Slots {
  readonly #max: number;
  readonly #pools: Pools;
  readonly #lines: ReadonlyMap<string | null, Line>;
  readonly #withoutPool: Line;
  readonly #held = new Map<string, { readonly line: Line | null; readonly slots: number }>();
  /** By run: slots that are kept free for it until it asks. */
  readonly #given = new Map<string, Given[]>();
  /** Taken by the turn that goes on. */
  #reserved: { readonly line: Line; readonly slots: number }[] = [];
  /** The lines in which the run of this turn has asked. */
  readonly #asked = new Set<Line>();
  /** Runs that were given slots, and not woken yet. */
  readonly #woken = new Set<string>();
  /** Of the executor: held, given and reserved. */
  #taken = 0;
  #order = 0;

  constructor(max: number, pools: Pools = new Map()) {
    this.#max = max;
    this.#pools = pools;
    const line = (pool: string | null, slots: number): Line => ({ pool, slots, taken: 0, waiting: new WaitingLine() });
    this.#withoutPool = line(null, max);
    this.#lines = new Map([
      [null, this.#withoutPool],
      ...[...pools].map(([pool, slots]): [string, Line] => [pool, line(pool, slots)]),
    ]);
  }

  /** Asked by the engine for a ready instance of a run; a run that is refused stands in line. */
  reserve(runId: string, step: Claimant): boolean {
    // What can never be admitted takes no slot: its attempt ends at once, with the reason.
    if (poolMistake(this.#pools, step) !== null) return true;
    const line = this.#lineOf(step);
    this.#asked.add(line);
    this.#standInLine(runId, line, step);
    this.#give();
    const given = this.#takeGiven(runId, line);
    if (given === undefined) return false;
    this.#reserved.push({ line, slots: given.place.slots });
    return true;
  }

  /** Ends a turn of a run: the attempts that it started hold what it reserved, and what it no longer asks for lapses. */
  settle(runId: string, started: readonly Started[]): void {
    for (const { line, slots } of this.#reserved) this.#free(line, slots);
    this.#reserved = [];
    for (const { id, step } of started) {
      if (poolMistake(this.#pools, step) === null) this.take(id, step);
      else this.#held.set(id, nothing);
    }
    for (const { line, place } of this.#given.get(runId) ?? []) {
      this.#free(line, place.slots);
      if (this.#asked.has(line)) line.waiting.enter(place);
    }
    for (const line of this.#lines.values()) if (!this.#asked.has(line)) line.waiting.leave(runId);
    this.#given.delete(runId);
    this.#woken.delete(runId);
    this.#asked.clear();
  }

  /** Of a run that has no turn for now: it stands in nobody's way. */
  withdraw(runId: string): void {
    this.settle(runId, []);
  }

  /** Of an attempt that runs already, though its pool, or the executor, may have become too small for it meanwhile. */
  take(id: string, step: Claimant): void {
    if (this.#held.has(id)) return;
    const line = this.#lineOf(step);
    const slots = slotsOf(step.pool);
    this.#held.set(id, { line, slots });
    this.#occupy(line, slots);
  }

  holds(id: string): boolean {
    return this.#held.has(id);
  }

  /** Of attempts that ended, or whose start was not kept. */
  release(attemptIds: readonly string[]): void {
    for (const id of attemptIds) {
      const held = this.#held.get(id);
      if (!this.#held.delete(id) || held === undefined || held.line === null) continue;
      this.#free(held.line, held.slots);
    }
  }

  /** The runs to wake: slots that are free are theirs. */
  takeWoken(): readonly string[] {
    this.#give();
    const woken = [...this.#woken];
    this.#woken.clear();
    return woken;
  }

  /** The executor first, then the pools as they are declared. */
  get inUse(): readonly SlotsInUse[] {
    return [...this.#lines.values()].map(({ pool, slots, taken, waiting }) => ({
      pool,
      slots,
      taken: pool === null ? this.#taken : taken,
      waiting: waiting.size,
    }));
  }

  /** Where its pool is gone, what runs has its slot of the executor left. */
  #lineOf({ pool }: Claimant): Line {
    return this.#lines.get(pool?.name ?? null) ?? this.#withoutPool;
  }

  /** With what its first instance takes now; a run keeps its place while it waits. */
  #standInLine(runId: string, line: Line, { pool, priority = 0 }: Claimant): void {
    const slots = slotsOf(pool);
    const given = this.#given.get(runId)?.find((each) => each.line === line);
    const before = given?.place ?? line.waiting.get(runId);
    if (before?.priority === priority && before.slots === slots) return;
    if (given !== undefined) {
      this.#takeGiven(runId, line);
      this.#free(line, given.place.slots);
    }
    this.#order += 1;
    line.waiting.enter({ runId, priority, slots, order: before?.order ?? this.#order });
  }

  /** Gives what is free to those who are first. */
  #give(): void {
    while (this.#taken < this.#max) {
      const next = this.#next();
      if (next === null) return;
      const { line, place } = next;
      line.waiting.leave(place.runId);
      this.#occupy(line, place.slots);
      this.#given.set(place.runId, [...(this.#given.get(place.runId) ?? []), next]);
      this.#woken.add(place.runId);
    }
  }

  #next(): Given | null {
    let next: Given | null = null;
    for (const line of this.#lines.values()) {
      const place = line.waiting.first();
      const hasRoom = place !== undefined && (line.pool === null || line.taken + place.slots <= line.slots);
      if (hasRoom && (next === null || isBefore(place, next.place))) next = { line, place };
    }
    return next;
  }

  #takeGiven(runId: string, line: Line): Given | undefined {
    const all = this.#given.get(runId) ?? [];
    const given = all.find((each) => each.line === line);
    const rest = all.filter((each) => each !== given);
    if (rest.length === 0) this.#given.delete(runId);
    else this.#given.set(runId, rest);
    return given;
  }

  #occupy(line: Line, slots: number): void {
    this.#taken += 1;
    line.taken += slots;
  }

  #free(line: Line, slots: number): void {
    this.#taken -= 1;
    line.taken -= slots;
  }
}

function slotsOf(pool: PoolClaim | undefined): number {
  return pool?.slots ?? 1;
}

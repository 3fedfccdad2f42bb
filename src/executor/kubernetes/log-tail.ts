/**
 * The log of a container, as the cluster keeps it, brought into the log of its attempt while it is written. A stream that
 * breaks off is opened again where it was, so that no line is missing and none is there twice, also for a server that comes
 * after. A stream that ends may have been cut as well: the log is at its end when it is read once more and brings nothing.
 *
 * The node begins the file of a long log anew, and the cluster reads the newest file alone: who is behind, or away, when
 * that happens does not get the rest of the file before, and a reader that is behind can stay at its end for good. The
 * first line of the file tells of it. So the reader looks there from time to time, opens its stream again where that
 * stands still, and says in the log that lines may be missing.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { createLineSplitter, cutLine } from '../../outputs/log-lines.ts';
import { logLimits, type LogLine } from '../../outputs/outputs.ts';
import type { Clock } from '../../std/clock.ts';
import { ApiError, backOff, type Api } from './api.ts';
import { createLogPlace, type KeptTail } from './log-place.ts';

export interface LogTailOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly write: (line: Pick<LogLine, 'at' | 'text'>) => void;
  /** Of the log itself, in a line of ours. */
  readonly say: (text: string) => void;
  readonly kept: KeptTail;
  readonly clock: Clock;
  /** The container has ended: no more is written. */
  readonly hasEnded: () => boolean;
  /** Resolves when it has. */
  readonly ended: Promise<void>;
  /** The cluster is seen to have its pod no more. */
  readonly isGone: () => boolean;
  readonly trouble: (error: unknown) => void;
  /** From then on nothing is read, asked or waited for. */
  readonly closing: AbortSignal;
  /** Between two looks at the first line of the file: as often as a node looks whether it is to be begun anew. */
  readonly lookMs?: number;
  /** Until a stream that brings nothing is opened again for the first time. */
  readonly quietMs?: number;
}

export interface LogTail {
  /** Whether it was read to its end, or no more is read of it before that; it never rejects. */
  readonly done: Promise<boolean>;
  /** Bytes that have come. */
  received(): number;
  /** The last line that is not empty; null where there was none, or it was too long to be an output. */
  lastLine(): string | null;
  close(): void;
}

/** After the end of a container, whose runtime may be writing yet: no reading before that says that it wrote nothing. */
export const lastWriteMs = 1000;

const limits = {
  lookMs: 10_000,
  /** No node begins a file anew that is smaller than this. */
  fileBytesMin: 1024 * 1024,
  /** Of an output that stands in a line. */
  outputLineBytesMax: 1024 * 1024,
  /** More than the time of a line has. */
  stampBytesMax: 64,
  /** After a stream that ended in order, until it is seen that its container has ended too. */
  endSeenMs: 5000,
  /** Without a byte, of a container that goes on: the first time, and at most, before the client itself gives a stream up (300 s). */
  quietMs: 30_000,
  quietMsMax: 240_000,
  /** Of one that has ended: its node ends the stream within a second or two. */
  endedQuietMs: 5000,
} as const;

const mayBeMissing =
  'Lines, or the beginning of one, may be missing here: the node has begun the file of this log anew, and a cluster gives the newest file alone.';

export function tailLog(options: LogTailOptions): LogTail {
  const tail = new Tail(options);
  return {
    done: tail.run(),
    received: () => tail.received,
    lastLine: () => tail.last,
    close: () => tail.close(),
  };
}

interface Line {
  readonly at: number;
  readonly text: string;
}

/** What one stream brought: how many new lines, and what was left without an end. */
interface Reading {
  readonly fresh: number;
  readonly rest: Line | null;
}

class Tail {
  readonly #options: LogTailOptions;
  readonly #over = new AbortController();
  readonly #signal: AbortSignal;
  readonly #place;
  received = 0;
  last: string | null = null;
  /** The time of the first line of the file, as the cluster writes it; null: not known. */
  #head: string | null = null;
  /** How much had come when it was looked at. */
  #lookedAt = 0;
  #quietMs: number;
  #quiet: NodeJS.Timeout | undefined;
  /** The one that is read. */
  #stream: AbortController | null = null;

  constructor(options: LogTailOptions) {
    this.#options = options;
    this.#signal = AbortSignal.any([options.closing, this.#over.signal]);
    this.#place = createLogPlace(options.kept);
    this.#quietMs = options.quietMs ?? limits.quietMs;
  }

  close(): void {
    this.#over.abort();
  }

  async run(): Promise<boolean> {
    const { hasEnded, ended, isGone, trouble, kept, clock } = this.#options;
    const signal = this.#signal;
    if (kept.count > 0) await this.#look(false);
    void ended.then(() => this.#hurry());
    let rest: Line | null | undefined;
    let endSeenAt: number | null = null;
    for (let failures = 0; !signal.aborted;) {
      const [hadEnded, before] = [hasEnded(), this.received];
      if (hadEnded) endSeenAt ??= clock.now();
      const lateMs = endSeenAt === null ? lastWriteMs : endSeenAt + lastWriteMs - clock.now();
      try {
        const reading = await this.#read();
        if (reading === null) continue;
        const mayComeYet = this.received === 0 && reading.rest === null && lateMs > 0;
        if (hadEnded && !mayComeYet && reading.fresh === 0 && reading.rest?.text === rest?.text) break;
        rest = reading.rest;
        failures = 0;
        if (!hadEnded) await Promise.race([ended, pause(limits.endSeenMs, undefined, { signal, ref: true })]);
        else if (mayComeYet) await pause(Math.min(lateMs, lastWriteMs), undefined, { signal, ref: true });
      } catch (error) {
        if (signal.aborted) return false;
        // Its log is gone with it. A node that has just begun again says so too, of pods that it does not know yet.
        if (error instanceof ApiError && error.status === 404 && isGone()) break;
        if (hadEnded && hasNeverBegun(error)) break;
        failures = this.received === before ? failures + 1 : 1;
        if (failures > 3) trouble(error);
        await backOff(failures, error, signal);
      }
    }
    if (signal.aborted) return false;
    if (rest) this.#take(rest);
    if (this.received >= limits.fileBytesMin && this.received > this.#lookedAt) await this.#look(true);
    return true;
  }

  /** Null: it was ended here, and is to be opened again. */
  async #read(): Promise<Reading | null> {
    const { api, container } = this.#options;
    const since = this.#place.begin();
    let fresh = 0;
    let rest: Line | null = null;
    let isAtEnd = false;
    const splitter = createLineSplitter(limits.outputLineBytesMax + limits.stampBytesMax, (whole, isCut) => {
      const line = lineOf(whole);
      // What has no time is said by the kubelet, or is the rest of a line whose beginning lies before that time.
      if (line === null) return;
      const seen = this.#place.see(line.at);
      if (line.text.trim() !== '') this.last = isCut ? null : line.text.trim();
      if (seen === 'new after a gap' || (since === null && fresh === 0)) this.#begins(whole, seen);
      if (seen === 'kept') return;
      if (isAtEnd) rest = line;
      else this.#take(line);
      fresh += isAtEnd ? 0 : 1;
    });
    const stream = (this.#stream = new AbortController());
    const signal = AbortSignal.any([this.#signal, stream.signal]);
    const query = { container, follow: true, timestamps: true };
    const from = since === null ? {} : { sinceTime: new Date(since).toISOString() };
    this.#endWhenQuiet(stream);
    let watch: NodeJS.Timeout | undefined;
    try {
      const content = await api.stream(this.#path, { ...query, ...from }, signal);
      watch = this.#watch(stream);
      for await (const chunk of content) {
        this.#quiet?.refresh();
        this.received += chunk.length;
        splitter.push(chunk);
      }
    } catch (error) {
      if (stream.signal.aborted && !this.#signal.aborted) return null;
      throw error;
    } finally {
      clearInterval(watch);
      clearTimeout(this.#quiet);
      this.#stream = null;
    }
    isAtEnd = true;
    splitter.end();
    return { fresh, rest };
  }

  #take(line: Line): void {
    this.#place.keep(line.at);
    this.#options.write({ ...line, text: cutLine(line.text, logLimits.lineBytesMax) });
  }

  /** The first line of the file, as far as it was read anew. */
  #begins(line: string, seen: 'kept' | 'new' | 'new after a gap'): void {
    const [stamp] = splitOnce(line);
    if (seen === 'new after a gap' || (this.#head !== null && this.#head !== stamp)) this.#options.say(mayBeMissing);
    this.#head = stamp;
  }

  #endWhenQuiet(stream: AbortController): void {
    this.#quiet = setTimeout(() => {
      this.#quietMs = Math.min(2 * this.#quietMs, limits.quietMsMax);
      stream.abort();
    }, this.#quietMs);
  }

  /** Its container has ended: a stream that goes on for long has not heard of it. */
  #hurry(): void {
    this.#quietMs = Math.min(this.#quietMs, limits.endedQuietMs);
    clearTimeout(this.#quiet);
    if (this.#stream !== null) this.#endWhenQuiet(this.#stream);
  }

  /** Ends a stream that stands still at the end of a file which is not written any more. */
  #watch(stream: AbortController): NodeJS.Timeout {
    const { lookMs = limits.lookMs } = this.#options;
    let before = this.received;
    let [opened, isSettled, isLooking] = [this.received, false, false];
    const look = async (): Promise<void> => {
      const isStill = this.received === before;
      before = this.received;
      // One that has once been at the end of the newest file is told by the node of the next.
      const mayStand = isStill && !isSettled && this.received - opened >= limits.fileBytesMin;
      if (!mayStand && this.received - this.#lookedAt < limits.fileBytesMin) return;
      const head = await this.#look(false);
      if (!mayStand || this.received !== before || head === null) return;
      if (head.at > this.#place.newestAt) stream.abort();
      else isSettled = true;
    };
    return setInterval(() => {
      if (isLooking) return;
      isLooking = true;
      void look().finally(() => (isLooking = false));
    }, lookMs);
  }

  /** The first line of the newest file; null: it cannot be seen. `isAtEnd`: all of it has been read. */
  async #look(isAtEnd: boolean): Promise<Line | null> {
    const { api, container, say } = this.#options;
    const at = this.received;
    try {
      const query = { container, timestamps: true, limitBytes: limits.stampBytesMax };
      const chunks = [];
      const signal = AbortSignal.any([this.#signal, AbortSignal.timeout(limits.lookMs)]);
      for await (const chunk of await api.stream(this.#path, query, signal)) chunks.push(chunk);
      const text = Buffer.concat(chunks).toString('latin1');
      const line = lineOf(text);
      if (line === null) return null;
      this.#lookedAt = at;
      // What has not been reached is told when it is, at its place.
      if (isAtEnd || this.#head === null || line.at <= this.#place.newestAt) {
        const [stamp] = splitOnce(text);
        if (this.#head !== null && this.#head !== stamp) say(mayBeMissing);
        this.#head = stamp;
      }
      return line;
    } catch {
      // Whoever cannot look knows no more than before.
      return null;
    }
  }

  get #path(): string {
    const { namespace, pod } = this.#options;
    return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  }
}

/** Its node says so of a container that was waiting when its pod ended, and a little later that it has ended, without a log. */
function hasNeverBegun(error: unknown): boolean {
  return (
    error instanceof ApiError && error.status === 400 && / is (?:waiting to start: |terminated$)/.test(error.message)
  );
}

const stampShape = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/;

function lineOf(line: string): Line | null {
  const [stamp, text] = splitOnce(line);
  const at = stampShape.test(stamp) ? Date.parse(stamp) : Number.NaN;
  return Number.isNaN(at) ? null : { at, text };
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf(' ');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

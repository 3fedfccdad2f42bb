/**
 * The log of a container, as the cluster keeps it, brought into the log of its attempt while it is written. A stream that
 * breaks off is opened again where it was; what is kept already is told by its times, so that no line is missing and none
 * is there twice, also for a server that comes after.
 */
import { createLineSplitter } from '../../outputs/log-lines.ts';
import { logLimits, type LogLine, type LogStore } from '../../outputs/outputs.ts';
import { ApiError, backOff, type Api } from './api.ts';

export interface LogTailOptions {
  readonly api: Api;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
  readonly write: (line: Omit<LogLine, 'number'>) => void;
  /** Of the last line that is kept. */
  readonly kept: KeptTail;
  /** The container has ended: what breaks off now is at its end. */
  readonly hasEnded: () => boolean;
  readonly trouble: (error: unknown) => void;
}

/** How many of the lines at the end have this time, in milliseconds since the epoch. */
export interface KeptTail {
  readonly at: number;
  readonly count: number;
}

export interface LogTail {
  /** Resolves at the end of the log; it never rejects. */
  readonly done: Promise<void>;
  /** The last line that is not empty. */
  lastLine(): string | null;
  close(): void;
}

const stampLengthMax = 40;
/** Of an output that stands in a line. */
const outputLineBytesMax = 1024 * 1024;

export function tailLog(options: LogTailOptions): LogTail {
  const { api, namespace, pod, container, write, hasEnded } = options;
  const closing = new AbortController();
  const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(pod)}/log`;
  let kept = options.kept;
  let last: string | null = null;

  const read = async (): Promise<void> => {
    let repeats: KeptTail | null = kept.count === 0 ? null : { ...kept };
    const take = (line: string): void => {
      const [stamp, text] = splitOnce(line);
      const at = Date.parse(stamp);
      if (Number.isNaN(at)) return;
      if (text.trim() !== '') last = text.trim();
      if (repeats !== null) {
        if (at < repeats.at) return;
        const left: number = at === repeats.at ? repeats.count - 1 : -1;
        repeats = left > 0 ? { at, count: left } : null;
        if (left >= 0) return;
      }
      kept = at === kept.at ? { at, count: kept.count + 1 } : { at, count: 1 };
      write({ at, stream: 'out', text: cut(text) });
    };
    const splitter = createLineSplitter(outputLineBytesMax, take);
    const since = repeats === null ? {} : { sinceTime: new Date(kept.at - (kept.at % 1000)).toISOString() };
    const content = await api.stream(path, { container, follow: true, timestamps: true, ...since }, closing.signal);
    for await (const chunk of content) splitter.push(chunk);
    // What is left without an end is no line yet, unless the container has ended.
    if (hasEnded()) splitter.end();
  };
  const run = async (): Promise<void> => {
    for (let failures = 0; !closing.signal.aborted;) {
      const before = kept;
      try {
        await read();
        if (hasEnded()) return;
        failures = 0;
        await backOff(1, null, closing.signal);
      } catch (error) {
        if (closing.signal.aborted) return;
        // 404: the pod is gone, and its log with it.
        if (error instanceof ApiError && error.status === 404) return;
        failures = kept === before ? failures + 1 : 1;
        if (failures > 3) options.trouble(error);
        await backOff(failures, error, closing.signal);
      }
    }
  };
  return { done: run(), lastLine: () => last, close: () => closing.abort() };
}

function cut(text: string): string {
  return Buffer.byteLength(text) <= logLimits.lineBytesMax
    ? text
    : text.slice(0, logLimits.lineBytesMax - stampLengthMax);
}

function splitOnce(line: string): readonly [string, string] {
  const at = line.indexOf(' ');
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1)];
}

/** What is kept of a log that begins after `linesBefore`, as far as it can be told from its end. */
export async function keptTail(logs: LogStore, key: string, linesBefore: number): Promise<KeptTail> {
  const total = logs.size(key);
  if (total <= linesBefore) return { at: 0, count: 0 };
  const from = Math.max(linesBefore + 1, total - logLimits.pageLinesMax + 1);
  const { lines } = await logs.read(key, from, total);
  const at = lines.at(-1)?.at ?? 0;
  return { at, count: lines.filter((line) => line.at === at).length };
}

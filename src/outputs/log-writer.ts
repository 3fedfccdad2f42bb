/**
 * Appends lines to one log. Lines gather during one turn of the event loop and are then written at once and
 * synchronously: the order is certain, the memory is bounded whatever a step prints, and a reader sees a line within
 * the same millisecond. A disk that is full or gone takes lines from the log, never time from the step: where some are
 * missing a line says so, which stands first in whatever is written next, and which readers are given until then.
 *
 * A log that becomes too long keeps its end as well, where most failures are told: a line says that the limit is reached,
 * and when the log is closed another says how much is left out, and the last lines follow. Half of the room that is left
 * is for them, so that a log which is opened again has room once more, and stays within its limit.
 */
import { formatBytes } from '../std/bytes.ts';
import type { Clock } from '../std/clock.ts';
import { messageOfError } from '../std/error-message.ts';
import { LogAppender } from './log-appender.ts';
import {
  formatEnd,
  formatLine,
  indexEveryLines,
  indexRecord,
  noteClosedEmpty,
  type LogPaths,
  type LogShape,
} from './log-file.ts';
import { createLineSplitter, type LineSplitter } from './log-lines.ts';
import { createLogRest, type LeftOut } from './log-rest.ts';
import type { LogLine, LogWriter } from './outputs.ts';

export interface LogLimits {
  readonly lineBytesMax: number;
  readonly logBytesMax: number;
  /** Of its last lines, where it becomes longer than that. */
  readonly tailBytesMax: number;
}

export interface LogListener {
  /** Lines were written, or the log was closed. */
  written(): void;
  /** Nothing could be written: told once, until something was. */
  failed(reason: string): void;
}

/** A log that is being written, and how far it is. */
export interface OpenLog extends LogWriter {
  readonly shape: () => LogShape;
  /** What stands behind the last line, as long as it cannot be written: that lines are missing. */
  readonly gap: () => LogLine | null;
  /** Writes what has gathered, so that a reader finds it, and what could not be written before. */
  flush(): void;
  /** The same, and nothing after it: the log is another's. */
  release(): void;
  /** Takes more, where it was to be closed and could not be. */
  goOn(): void;
}

const gatherBytesMax = 64 * 1024;

export function openLog(
  paths: LogPaths,
  before: LogShape,
  clock: Clock,
  limits: LogLimits,
  listener: LogListener,
): OpenLog {
  const gathered = createGathering(before);
  const appender = new LogAppender(paths, before.bytes);
  let kept = { total: before.total, bytes: before.bytes };
  let gap: Pick<LogLine, 'at' | 'text'> | null = null;
  let state: 'open' | 'closing' | 'closed' = 'open';
  const rest = createLogRest();
  const isFull = (): boolean => gathered.end().bytes >= limits.logBytesMax - 2 * limits.tailBytesMax;
  /** A line says that the limit is reached. */
  let isToldFull = isFull();
  let scheduled: NodeJS.Immediate | null = null;

  const flush = (): void => {
    if (scheduled !== null) clearImmediate(scheduled);
    scheduled = null;
    if (state === 'closed' || (gathered.isEmpty() && state === 'open')) return;
    try {
      write();
    } catch (error) {
      return lose(messageOfError(error));
    }
    gap = null;
    listener.written();
  };

  const write = (): void => {
    if (!gathered.isEmpty()) appender.append(gathered.text(), gathered.records());
    kept = gathered.taken();
    if (state !== 'closing') return;
    if (kept.total === 0) noteClosedEmpty(paths);
    else appender.end(formatEnd(clock.now(), kept.total));
    state = 'closed';
  };

  /** Of what has gathered, only the line stays that speaks for it. */
  const lose = (reason: string): void => {
    const known = gap;
    // Where on the server that was is for its own log.
    const [cause = ''] = reason.split(', ');
    gap ??= { at: clock.now(), text: `This log could not be written (${cause}): lines may be missing here.` };
    gathered.restart(kept);
    gathered.add(gap.at, 'contender', gap.text);
    if (known === null) listener.failed(reason);
  };

  const append = (at: number, stream: LogLine['stream'], text: string): void => {
    gathered.add(at, stream, text);
    if (gathered.bytes() >= gatherBytesMax) flush();
    else scheduled ??= setImmediate(flush);
  };

  const take = (at: number, stream: LogLine['stream'], text: string): void => {
    if (!isFull()) return append(at, stream, text);
    if (!isToldFull) append(clock.now(), 'contender', fullText);
    isToldFull = true;
    const room = Math.max(0, limits.logBytesMax - gathered.end().bytes);
    const bytes = Buffer.byteLength(formatLine(at, stream, text));
    rest.add({ at, stream, text }, bytes, Math.min(limits.tailBytesMax, room / 2));
  };
  const fullText = `This log has reached its limit of ${formatBytes(limits.logBytesMax)}: of what follows, the last lines are kept, and stand here when it ends.`;

  const takeRest = (): void => {
    const { lines, leftOut } = rest.take();
    if (gathered.end().bytes >= limits.logBytesMax) return;
    if (leftOut.lines > 0) append(clock.now(), 'contender', leftOutText(leftOut));
    for (const { at, stream, text } of lines) append(at, stream, text);
  };

  const splitters = new Map<LogLine['stream'], LineSplitter>();
  const splitterOf = (stream: LogLine['stream']): LineSplitter => {
    const found =
      splitters.get(stream) ?? createLineSplitter(limits.lineBytesMax, (line) => take(clock.now(), stream, line));
    splitters.set(stream, found);
    return found;
  };

  return {
    shape: () => ({ ...kept, closed: state === 'closed' }),
    gap: () => gap && { ...gap, number: kept.total + 1, stream: 'contender' },
    flush,
    release() {
      if (state === 'closed') return;
      state = 'open';
      rest.clear();
      flush();
      state = 'closed';
      appender.close();
    },
    goOn() {
      if (state === 'closing') state = 'open';
    },
    write(stream, chunk) {
      if (state === 'open') splitterOf(stream).push(typeof chunk === 'string' ? Buffer.from(chunk) : chunk);
    },
    line({ at, stream, text }) {
      if (state === 'open') take(at, stream, text.replaceAll('\n', ' '));
    },
    copy({ at, stream, text }) {
      if (gathered.end().bytes >= limits.logBytesMax + limits.tailBytesMax) return 'full';
      if (state !== 'open' || gap !== null) return 'not now';
      append(at, stream, text.replaceAll('\n', ' '));
      isToldFull ||= isFull();
      return 'taken';
    },
    async close() {
      if (state !== 'open') return;
      for (const splitter of splitters.values()) splitter.end();
      takeRest();
      state = 'closing';
      flush();
    },
  };
}

function leftOutText({ lines, bytes }: LeftOut): string {
  return `${lines} ${lines === 1 ? 'line is' : 'lines are'} left out here (${formatBytes(bytes)}).`;
}

/** Lines that are not written yet, with the records of the index that belong to them. */
function createGathering(before: LogShape): Gathering {
  let { total, bytes } = before;
  let [lines, linesBytes, records]: [string[], number, Buffer[]] = [[], 0, []];
  const clear = (): void => void ([lines, linesBytes, records] = [[], 0, []]);
  return {
    isEmpty: () => lines.length === 0,
    text: () => lines.join(''),
    records: () => records,
    bytes: () => linesBytes,
    end: () => ({ total, bytes }),
    add(at, stream, text) {
      const line = formatLine(at, stream, text);
      if (total > 0 && total % indexEveryLines === 0) records.push(indexRecord(total + 1, bytes));
      const size = Buffer.byteLength(line);
      total += 1;
      bytes += size;
      lines.push(line);
      linesBytes += size;
    },
    taken() {
      clear();
      return { total, bytes };
    },
    restart(from) {
      clear();
      ({ total, bytes } = from);
    },
  };
}

type LogEnd = Pick<LogShape, 'total' | 'bytes'>;

interface Gathering {
  isEmpty(): boolean;
  text(): string;
  records(): readonly Buffer[];
  bytes(): number;
  /** Of the log, with what has gathered. */
  end(): LogEnd;
  add(at: number, stream: LogLine['stream'], text: string): void;
  /** They are written: gives the end of the log. */
  taken(): LogEnd;
  /** They are not, and the log ends there. */
  restart(from: LogEnd): void;
}

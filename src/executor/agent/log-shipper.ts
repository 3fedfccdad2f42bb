/**
 * Brings the log of an attempt to the server. The lines are on the agent's own disk first, so nothing is lost while the
 * server is away and the step never waits for it; they are numbered, so nothing is kept twice. What comes while a part is
 * on its way is the next part, so a talkative step costs no more requests than a quiet one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { LogStore } from '../../outputs/outputs.ts';
import { agentLimits, type LogKept, type LogPart } from './contract.ts';
import type { Link } from './link.ts';

export interface LogShipper {
  /** Resolves when the whole of the log, to which nobody writes any more, is kept; rejects where that cannot be. */
  finish(): Promise<void>;
}

/** Lines of one moment go together. */
const gatherMs = 20;

export function createLogShipper(logs: LogStore, key: string, link: Link): LogShipper {
  let kept = 0;
  let isOver = false;
  /** Nothing more comes: what there is goes at once. */
  const closing = new AbortController();
  let work: Promise<void> | null = null;
  let again = false;

  const sendAll = async (): Promise<void> => {
    await pause(gatherMs, undefined, { signal: closing.signal }).catch(() => undefined);
    do {
      again = false;
      while (await sendNext());
    } while (again);
  };
  /** Whether there may be more to send. */
  const sendNext = async (): Promise<boolean> => {
    if (isOver) return false;
    const page = await logs.read(key, kept + 1, kept + agentLimits.logLinesMax);
    const lines = fitting(page.lines.map(({ at, stream, text }) => ({ at, stream, text })));
    // A step closes its log when it ends, and its agent may write of its checkpoint after that.
    const closed = closing.signal.aborted && page.closed && kept + lines.length === page.total;
    if (lines.length === 0 && !closed) return false;
    const part: LogPart = { from: kept + 1, lines, closed };
    const answer: LogKept = await link.json('POST', 'log', part);
    kept = answer.total;
    isOver = closed || answer.isFull;
    return !isOver;
  };
  const start = (): Promise<void> => {
    again = true;
    work ??= sendAll().finally(() => (work = null));
    return work;
  };
  // What goes wrong here goes wrong again at the end, where somebody hears of it.
  const unwatch = logs.watch(key, () => void start().catch(() => undefined));
  return {
    async finish() {
      closing.abort();
      try {
        await work?.catch(() => undefined);
        await start();
      } finally {
        unwatch();
      }
    },
  };
}

/** At least one line, and no more than a part may have. JSON writes some bytes with six. */
function fitting(lines: LogPart['lines']): LogPart['lines'] {
  let bytes = 0;
  const beyond = lines.findIndex(
    (line) => (bytes += Buffer.byteLength(JSON.stringify(line))) > agentLimits.logBytesMax,
  );
  return beyond === -1 ? lines : lines.slice(0, Math.max(1, beyond));
}

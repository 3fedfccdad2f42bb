/** Where a run is shown as it goes: redrawn in place on a terminal, else in lines. */
import { LiveProgress, type LivePorts, type TerminalStream } from './live-progress.ts';
import { ProgressLines, type Progress } from './progress.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** CI keeps what it is sent, so that a redrawn list would be there a hundred times; a dumb terminal cannot go up. */
export function isLive(stream: { readonly isTTY?: boolean }, environment: Environment): boolean {
  const { CI: ci = '', TERM: term } = environment;
  return stream.isTTY === true && (ci === '' || ci === 'false') && term !== 'dumb';
}

export function openProgress(
  stream: TerminalStream & { readonly isTTY?: boolean },
  environment: Environment,
  waits: LivePorts['waits'],
): Progress {
  if (!isLive(stream, environment)) return new ProgressLines(stream);
  return new LiveProgress(stream, {
    now: Date.now,
    waits,
    every(tick) {
      const timer = setInterval(tick, 1000);
      return () => clearInterval(timer);
    },
  });
}

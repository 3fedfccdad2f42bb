/**
 * A run on a terminal: the list of its steps, redrawn where it stands. Each frame is one write: up to the first line of
 * the frame before, every line anew, then whatever is left below erased. The terminal is told not to wrap meanwhile, so
 * that a line too long for it stays one line; a list too long for it keeps what runs and what failed, and counts the rest.
 *
 *   ✓ features success 1.2 s
 *   ▶ train running 41.0 s
 *   · compare waiting for train
 */
import type { Run, Step } from '../engine/run.ts';
import { finalStepStates } from '../engine/run.ts';
import type { Progress } from './progress.ts';
import { isWaiting, stepLine } from './step-lines.ts';
import { paint } from './terminal.ts';

/** What of a terminal is used. */
export interface TerminalStream extends NodeJS.WritableStream {
  readonly columns?: number;
  readonly rows?: number;
}

export interface LivePorts {
  readonly now: () => number;
  /** Why a step does not go on, in words. */
  readonly waits: (run: Run, step: Step) => string | null;
  /** Calls `tick` about once a second; gives the function that ends it. */
  readonly every: (tick: () => void) => () => void;
}

const rowsUnlessTold = 24;
const escape = '\u001b[';
const frameStart = `${escape}?2026h${escape}?25l${escape}?7l`;
const frameEnd = `${escape}?7h${escape}?25h${escape}?2026l`;

export class LiveProgress implements Progress {
  readonly #stream: TerminalStream;
  readonly #ports: LivePorts;
  readonly #stopTicking: () => void;
  #run: Run | null = null;
  #linesDrawn = 0;

  constructor(stream: TerminalStream, ports: LivePorts) {
    this.#stream = stream;
    this.#ports = ports;
    this.#stopTicking = ports.every(() => this.#redraw());
  }

  show(run: Run): void {
    this.#run = run;
    this.#redraw();
  }

  /** Whole, over as many lines of the terminal as it takes: there may be a command in it to copy. */
  note(line: string): void {
    this.#stream.write(`${this.#upToFrame()}\r${escape}0J${line}\n`);
    this.#linesDrawn = 0;
    this.#redraw();
  }

  /** The whole list, however long: it stays. */
  end(): void {
    this.#stopTicking();
    const run = this.#run;
    if (run === null) return;
    this.#draw([...run.steps.values()].map((step) => this.#lineOf(run, step)));
    this.#run = null;
    this.#linesDrawn = 0;
  }

  #redraw(): void {
    if (this.#run !== null) this.#draw(this.#frame(this.#run));
  }

  #upToFrame(): string {
    return this.#linesDrawn === 0 ? '' : `${escape}${this.#linesDrawn}A`;
  }

  #draw(lines: readonly string[]): void {
    const body = lines.map((line) => `\r${escape}2K${line}\n`).join('');
    this.#stream.write(`${frameStart}${this.#upToFrame()}${body}${escape}0J${frameEnd}`);
    this.#linesDrawn = lines.length;
  }

  /** One line less than the terminal has: the last one is the cursor's. One that does not know its size says 0. */
  #frame(run: Run): readonly string[] {
    const steps = [...run.steps.values()];
    const { rows = 0 } = this.#stream;
    const room = Math.max(1, (rows === 0 ? rowsUnlessTold : rows) - 1);
    if (steps.length <= room) return steps.map((step) => this.#lineOf(run, step));
    const shown = new Set(steps.toSorted((a, b) => rank(a) - rank(b)).slice(0, room - 1));
    const rest = steps.filter((step) => !shown.has(step));
    return [...steps.filter((step) => shown.has(step)).map((step) => this.#lineOf(run, step)), this.#restLine(rest)];
  }

  #lineOf(run: Run, step: Step): string {
    return stepLine(run, step, this.#ports.now(), this.#stream, this.#ports.waits(run, step));
  }

  #restLine(steps: readonly Step[]): string {
    const counts = new Map<string, number>();
    for (const step of steps) {
      const word = isWaiting(step) ? 'waiting' : step.state.replaceAll('_', ' ');
      counts.set(word, (counts.get(word) ?? 0) + 1);
    }
    const words = [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
    return `  ${paint('gray', `… ${steps.length} more: ${words}`, this.#stream)}`;
  }
}

/** What matters most while it goes: what is at work, what went wrong, what comes next, what is done. */
function rank(step: Step): number {
  if (isWaiting(step)) return 2;
  if (!finalStepStates.has(step.state)) return 0;
  return step.state === 'failed' ? 1 : 3;
}

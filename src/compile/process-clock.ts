/** What a process of ours has had of the processor; by the clock where the system does not say, as on a Mac. */
import { readFileSync } from 'node:fs';

export class ProcessClock {
  readonly #pid: number | undefined;
  #clockMs = 0;
  #processorMs: number | null = null;

  constructor(pid: number | undefined) {
    this.#pid = pid;
    this.restart();
  }

  restart(): void {
    this.#clockMs = performance.now();
    this.#processorMs = processorMs(this.#pid);
  }

  /** Since it was started, by the clock. */
  get passedMs(): number {
    return performance.now() - this.#clockMs;
  }

  /** Since it was started, of the processor, to a hundredth of a second. */
  get usedMs(): number {
    const now = processorMs(this.#pid);
    return now === null || this.#processorMs === null ? this.passedMs : now - this.#processorMs;
  }
}

/** Null where the process has ended, too. */
function processorMs(pid: number | undefined): number | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // Behind its name, in which anything may stand: user and system, in hundredths of a second.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * 10;
  } catch {
    return null;
  }
}

/**
 * Time that moves only when nothing is left to do now. Whatever waits in the world (an answer of a port, a timer, a
 * report, the next idea of the script) is a task; of those that are due at the same moment, chance takes the next.
 */
import type { Random } from './random.ts';

interface Task {
  readonly at: number;
  readonly order: number;
  readonly call: () => void;
  /** False: whoever asked for it is dead, or took it back. */
  readonly wanted: () => boolean;
}

export class VirtualTime {
  readonly #random: Random;
  readonly #heap: Task[] = [];
  now: number;

  constructor(start: number, random: Random) {
    this.now = start;
    this.#random = random;
  }

  later(delayMs: number, call: () => void, wanted: () => boolean = always): void {
    const task = { at: this.now + Math.max(0, delayMs), order: this.#random.next(), call, wanted };
    this.#heap.push(task);
    this.#up(this.#heap.length - 1);
  }

  /** Runs the next task and everything that follows from it without waiting. False: there is none. */
  async step(): Promise<boolean> {
    for (;;) {
      const task = this.#take();
      if (task === undefined) return false;
      if (!task.wanted()) continue;
      this.now = Math.max(this.now, task.at);
      task.call();
      // Immediates come after all microtasks: whoever was waiting for this task has now asked for the next one.
      await new Promise(setImmediate);
      return true;
    }
  }

  /** When the next task is due; null where there is none. */
  nextAt(): number | null {
    while (this.#heap[0]?.wanted() === false) this.#take();
    return this.#heap[0]?.at ?? null;
  }

  #take(): Task | undefined {
    const first = this.#heap[0];
    const last = this.#heap.pop();
    if (first === undefined || last === undefined || first === last) return first;
    this.#heap[0] = last;
    this.#down(0);
    return first;
  }

  #up(from: number): void {
    let index = from;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      if (!this.#swapIfEarlier(index, parent)) return;
      index = parent;
    }
  }

  #down(from: number): void {
    let index = from;
    for (;;) {
      const left = 2 * index + 1;
      const child = this.#isEarlier(left + 1, left) ? left + 1 : left;
      if (!this.#swapIfEarlier(child, index)) return;
      index = child;
    }
  }

  #isEarlier(one: number, other: number): boolean {
    const [first, second] = [this.#heap[one], this.#heap[other]];
    if (first === undefined || second === undefined) return false;
    return first.at === second.at ? first.order < second.order : first.at < second.at;
  }

  #swapIfEarlier(child: number, parent: number): boolean {
    const [lower, upper] = [this.#heap[child], this.#heap[parent]];
    if (lower === undefined || upper === undefined || !this.#isEarlier(child, parent)) return false;
    this.#heap[child] = upper;
    this.#heap[parent] = lower;
    return true;
  }
}

function always(): boolean {
  return true;
}

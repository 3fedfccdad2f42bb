/** A run as it goes, in lines: one for each change of a step. */
import type { Run } from '../engine/run.ts';
import { isWaiting, stepKey, stepLine } from './step-lines.ts';

export interface Progress {
  /** The run as it stands now. */
  show(run: Run): void;
  /** A line beside the steps; it stays. */
  note(line: string): void;
  /** Nothing more comes; what was shown last stays. */
  end(): void;
}

export class ProgressLines implements Progress {
  readonly #said = new Map<string, string>();
  readonly #stream: NodeJS.WritableStream;

  constructor(stream: NodeJS.WritableStream) {
    this.#stream = stream;
  }

  show(run: Run): void {
    for (const step of run.steps.values()) {
      const { name } = step.definition;
      const key = stepKey(step);
      if (isWaiting(step) || this.#said.get(name) === key) continue;
      this.#said.set(name, key);
      this.note(stepLine(run, step, null, this.#stream));
    }
  }

  note(line: string): void {
    this.#stream.write(`${line}\n`);
  }

  end(): void {
    // Lines stay as they are.
  }
}

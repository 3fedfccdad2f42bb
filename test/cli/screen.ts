/** A terminal of so many columns and rows that knows the sequences that we send, and refuses all others. */
import { PassThrough } from 'node:stream';
import type { TerminalStream } from '../../src/cli/live-progress.ts';

const escape = '\u001b';
const sequence = new RegExp(`${escape}\\[([0-9;?]*)([A-Za-z])|\\n|\\r|[^${escape}\\n\\r]+`, 'y');

export class Screen extends PassThrough implements TerminalStream {
  readonly isTTY = true;
  readonly columns: number;
  readonly rows: number;
  cursorHidden = false;
  writes = 0;
  /** Everything since the beginning, the part that scrolled out of sight too. */
  readonly #lines: string[] = [''];
  #row = 0;
  #column = 0;
  #wraps = true;

  constructor(columns = 80, rows = 24) {
    super();
    this.columns = columns;
    this.rows = rows;
    this.setEncoding('utf8');
    this.on('data', (text: string) => {
      this.writes += 1;
      this.#take(text);
    });
  }

  /** The text on it, without empty lines at the end. */
  text(): string {
    this.read();
    return this.#lines.join('\n').trimEnd();
  }

  #take(text: string): void {
    sequence.lastIndex = 0;
    for (let match = sequence.exec(text); match !== null; match = sequence.exec(text)) {
      const [all, parameter = '', command] = match;
      if (command !== undefined) this.#obey(parameter, command);
      else if (all === '\n') this.#newLine();
      else if (all === '\r') this.#column = 0;
      else this.#put(all);
      if (sequence.lastIndex === text.length) return;
    }
    throw new Error(`a sequence that no terminal of ours knows: ${JSON.stringify(text)}`);
  }

  #obey(parameter: string, command: string): void {
    if (command === 'm') return;
    if (command === 'h' || command === 'l') {
      if (parameter === '?25') this.cursorHidden = command === 'l';
      if (parameter === '?7') this.#wraps = command === 'h';
      return;
    }
    if (command === 'K' && parameter === '2') this.#lines[this.#row] = '';
    else if (command === 'J' && parameter === '0') {
      this.#lines.length = this.#row + 1;
      this.#lines[this.#row] = (this.#lines[this.#row] ?? '').slice(0, this.#column);
    } else if (command === 'A') this.#up(Number(parameter));
    else throw new Error(`unknown sequence ${parameter}${command}`);
  }

  /** What has scrolled out of sight cannot be reached any more. */
  #up(count: number): void {
    const top = Math.max(0, this.#lines.length - this.rows);
    if (this.#row - count < top) throw new Error(`up ${count} lines leaves the screen`);
    this.#row -= count;
  }

  #newLine(): void {
    this.#column = 0;
    this.#row += 1;
    if (this.#row === this.#lines.length) this.#lines.push('');
  }

  /** What does not fit goes on in the next line; or, where it was told not to wrap, is not shown. */
  #put(text: string): void {
    const room = this.columns - this.#column;
    const [fits, rest] = [text.slice(0, room), text.slice(room)];
    this.#lines[this.#row] = (this.#lines[this.#row] ?? '').padEnd(this.#column).slice(0, this.#column) + fits;
    this.#column += fits.length;
    if (rest === '' || !this.#wraps) return;
    this.#newLine();
    this.#put(rest);
  }
}

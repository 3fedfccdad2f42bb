/**
 * Reads the options of a word. The types say the same in the editor; this says it where nobody ran the compiler, with the
 * name of the option in each message.
 */
import { parseDuration, writeDuration } from '../std/duration.ts';
import { globMistake } from '../std/glob.ts';
import { hasMarker } from './handle.ts';
import { misuse, shown } from './misuse.ts';
import { identifierPattern } from './names.ts';
import { nearest } from './nearest.ts';
import { podWords } from './pod.ts';

export interface NumberRange {
  readonly min?: number;
  readonly max?: number;
  readonly integer?: boolean;
}

export class OptionReader {
  /** Of the call, for messages. */
  readonly label: string;
  /** Without a prototype: what is not given is not there. */
  readonly #values: Readonly<Record<string, unknown>>;
  readonly #names: readonly string[];
  readonly #path: string;

  /** `label` names the call in messages; `path` the options inside it: `schedule.`. Unknown options are refused. */
  constructor(label: string, options: unknown, known: readonly string[], path = '') {
    this.label = label;
    const values = plainRecord(options) ?? this.#wrongOptions(options, known, path);
    this.#path = path;
    this.#names = Object.keys(values);
    for (const name of this.#names) if (!known.includes(name)) this.#unknown(name, known);
    this.#values = Object.assign(Object.create(null), values);
  }

  has(name: string): boolean {
    return this.#values[name] !== undefined;
  }

  hasAny(names: readonly string[]): boolean {
    return this.#names.some((name) => names.includes(name) && this.has(name));
  }

  raw(name: string): unknown {
    return this.#values[name];
  }

  text<Default extends string | null>(name: string, fallback: Default): string | Default {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    return typeof value === 'string' ? this.#fixed(name, value) : this.wrong(name, 'text', value);
  }

  requiredText(name: string): string {
    return this.text(name, null) ?? this.missing(name);
  }

  number<Default extends number | null>(name: string, range: NumberRange, fallback: Default): number | Default {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    const { min = -Infinity, max = Infinity, integer = false } = range;
    const fits = typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max;
    if (fits && (!integer || Number.isInteger(value))) return value;
    const bounds = [...(min > -Infinity ? [`from ${min}`] : []), ...(max < Infinity ? [`up to ${max}`] : [])].join(' ');
    return this.wrong(name, `${integer ? 'a whole number' : 'a number'} ${bounds}`.trim(), value);
  }

  flag(name: string, fallback: boolean): boolean {
    const value = this.raw(name) ?? fallback;
    return typeof value === 'boolean' ? value : this.wrong(name, 'true or false', value);
  }

  durationMs<Default extends number | null>(
    name: string,
    range: { minMs: number; maxMs: number },
    fallback: Default,
  ): number | Default {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    if (typeof value !== 'string') return this.wrong(name, 'a duration in words, such as "90s" or "1h30m"', value);
    const parsed = parseDuration(this.#fixed(name, value));
    if (!parsed.ok) return this.problem(parsed.error, 'Durations are text: "90s", "10m", "4h", "8d", "1h30m".');
    if (parsed.value >= range.minMs && parsed.value <= range.maxMs) return parsed.value;
    return this.wrong(name, `a duration from ${writeDuration(range.minMs)} up to ${writeDuration(range.maxMs)}`, value);
  }

  choice<const Choice extends string>(name: string, choices: readonly Choice[], fallback: Choice): Choice {
    const value = this.raw(name);
    if (value === undefined || value === null) return fallback;
    const chosen = choices.find((choice) => choice === value);
    if (chosen !== undefined) return chosen;
    const meant = typeof value === 'string' ? nearest(value, choices) : null;
    const help =
      meant === null ? `It may be ${choices.join(', ')}.` : `Did you mean "${meant}"? It may be ${choices.join(', ')}.`;
    return this.problem(`${this.#name(name)} is ${shown(value)}`, help);
  }

  texts(name: string, fallback: readonly string[]): readonly string[] {
    const value = this.raw(name) ?? fallback;
    if (!Array.isArray(value)) return this.wrong(name, 'a list of texts', value);
    return value.map((item: unknown) =>
      typeof item === 'string' && item !== '' ? this.#fixed(name, item) : this.wrong(name, 'a list of texts', item),
    );
  }

  globs(name: string): readonly string[] {
    const globs = this.texts(name, []);
    for (const glob of globs) {
      const mistake = globMistake(glob);
      if (mistake !== null)
        this.problem(
          `${this.#name(name)}: the glob ${shown(glob)} ${mistake}`,
          'Write several short ones: "training/**", "release/*", "*.{py,toml}".',
        );
    }
    return globs;
  }

  /** Options inside an option, or null where it is not given. */
  nested(name: string, known: readonly string[]): OptionReader | null {
    const value = this.raw(name);
    if (value === undefined || value === null) return null;
    return new OptionReader(this.label, value, known, `${this.#path}${name}.`);
  }

  /** A record whose keys are names of the user's own. */
  record(name: string, keyPattern: RegExp = identifierPattern): readonly (readonly [string, unknown])[] {
    const value = this.raw(name);
    if (value === undefined || value === null) return [];
    const record = plainRecord(value) ?? this.wrong(name, 'an object', value);
    const entries: (readonly [string, unknown])[] = [];
    for (const key of Object.keys(record)) {
      const item = record[key];
      if (item === undefined) continue;
      this.#fixed(name, key);
      if (key === '__proto__') this.problem(`${this.#name(name)} has the key "__proto__"`, 'Use another name.');
      if (!keyPattern.test(key))
        this.problem(`${this.#name(name)} has the key ${shown(key)}`, `Keys have to match ${String(keyPattern)}.`);
      entries.push([key, item]);
    }
    return entries;
  }

  missing(name: string): never {
    return this.problem(`${this.#name(name)} is missing`, `Give the option "${this.#path}${name}".`);
  }

  /** A problem of the call in words of its own. */
  problem(message: string, help: string): never {
    return misuse('definition-option', `${this.label}: ${message}`, help);
  }

  /** The option `name` is not what it has to be. */
  wrong(name: string, expected: string, value: unknown): never {
    return this.problem(`${this.#name(name)} is ${shown(value)}`, `It has to be ${expected}.`);
  }

  /** Of an option that has options itself, its own name stands before the last dot of the path. */
  #wrongOptions(options: unknown, known: readonly string[], path: string): never {
    const name = path === '' ? 'options' : path.slice(0, -1);
    const expected = path === '' ? 'an object' : `an object with ${known.join(', ')}`;
    return this.problem(`option "${name}" is ${shown(options)}`, `It has to be ${expected}.`);
  }

  #name(name: string): string {
    return `option "${this.#path}${name}"`;
  }

  /** Refuses handles in what has to be known when the pipeline is defined. */
  #fixed(name: string, value: string): string {
    if (!hasMarker(value)) return value;
    return misuse(
      'definition-handle',
      `${this.label}: ${this.#name(name)} depends on a value that exists only in a run`,
      'Handles may stand in inputs, commands, arguments, images, environment, paths and addresses; write this one out.',
    );
  }

  #unknown(name: string, known: readonly string[]): never {
    const meant = nearest(name, known);
    const ofPod = known.includes('pod') && Object.values(podWords).some((words) => words.some((word) => word === name));
    const guess = meant === null ? '' : `Did you mean "${meant}"? `;
    const help = ofPod ? `Say it in pod: { ${name}: … }. ` : guess;
    return misuse(
      'definition-option',
      `${this.label}: there is no option "${this.#path}${name}"`,
      `${help}The options are ${known.join(', ')}.`,
    );
  }
}

/** `value` as a record, or null: lists, functions, handles and instances of classes are none. */
export function plainRecord(value: unknown): Readonly<Record<string, unknown>> | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null;
  const prototype: unknown = Object.getPrototypeOf(value);
  // Proved above: an object that is no list and no instance; its fields are unknown.
  return prototype === Object.prototype || prototype === null ? (value as Readonly<Record<string, unknown>>) : null;
}

/**
 * Globs over paths, branches and tags. In the name of a folder or file `*` stands for any text, `?` for one character and
 * `[a-z]` or `[!a-z]` for one of (or none of) them; a name that is `**` stands for any number of folders; `{a,b}` is one or the
 * other, and `\` takes the meaning of the next character away. A `/` at the end means all that is below.
 *
 * Globs are written by whoever may push, so none may take long: a star is taken back one place at a time, and what all of
 * them take together is bounded.
 */

export const globLimits = {
  lengthMax: 256,
  /** After braces are written out. */
  alternativesMax: 64,
  /** Comparisons of one `Globs`: about half a second. */
  workMax: 100_000_000,
} as const;

/** What is wrong with the glob, as the end of a sentence; null: nothing. */
export function globMistake(glob: string): string | null {
  if (glob.length > globLimits.lengthMax) return `is longer than ${globLimits.lengthMax} characters`;
  if (glob.startsWith('/') || glob.startsWith('./'))
    return 'begins at a root: write it from the top of the repository on';
  if (expand(glob) === null) return `has more than ${globLimits.alternativesMax} alternatives in its braces`;
  return null;
}

export interface Globs {
  /** Whether one of them matches the whole text. */
  match(text: string): boolean;
}

/** What has a mistake matches nothing. `beyond` is the answer to all that is asked after `work` comparisons. */
export function globsOf(globs: readonly string[], beyond: boolean, work: number = globLimits.workMax): Globs {
  const patterns = globs.flatMap((glob) => (globMistake(glob) === null ? (expand(glob) ?? []).map(readPattern) : []));
  let left = work;
  const isName = (pattern: NamePattern, name: string): boolean => {
    if (typeof pattern === 'string') return spent(pattern === name);
    return fits(pattern, Array.from(name), (sign, character) => spent(isCharacter(sign, character)));
  };
  const spent = (answer: boolean): boolean => {
    left -= 1;
    return answer;
  };
  return {
    match(text) {
      const names = text.split('/');
      for (const pattern of patterns) {
        if (left <= 0) return beyond;
        if (fits(pattern, names, isName)) return left > 0 || beyond;
      }
      return left > 0 ? false : beyond;
    },
  };
}

const many = Symbol('any number');
const one = Symbol('any one');

interface Choice {
  readonly without: boolean;
  readonly ranges: readonly (readonly [from: string, to: string])[];
}

type Sign = string | typeof one | Choice;
/** Text where nothing in it has a meaning. */
type NamePattern = string | readonly (Sign | typeof many)[];
type Pattern = readonly (NamePattern | typeof many)[];

/**
 * Whether `items` are what `signs` say from the first to the last. The last `many` alone is ever taken back: whatever those
 * before it took, it can make up for.
 */
function fits<One, Item>(
  signs: readonly (One | typeof many)[],
  items: readonly Item[],
  isOne: (sign: One, item: Item) => boolean,
): boolean {
  let [place, at] = [0, 0];
  let back: { place: number; at: number } | null = null;
  while (at < items.length) {
    const sign = signs[place];
    if (sign === many) {
      back = { place: place + 1, at };
      place += 1;
    } else if (place < signs.length && isOne(sign as One, items[at] as Item)) {
      place += 1;
      at += 1;
    } else if (back !== null) {
      back.at += 1;
      ({ place, at } = back);
    } else return false;
  }
  while (signs[place] === many) place += 1;
  return place === signs.length;
}

function isCharacter(sign: Sign, character: string): boolean {
  if (typeof sign === 'string') return sign === character;
  if (sign === one) return true;
  const isAmong = sign.ranges.some(([from, to]) => from <= character && character <= to);
  return isAmong !== sign.without;
}

function readPattern(glob: string): Pattern {
  const names = glob.split('/');
  if (names.length > 1 && names.at(-1) === '') names.splice(-1, 1, '*', '**');
  return names.map((name) => (name === '**' ? many : readName(name)));
}

function readName(name: string): NamePattern {
  const signs: (Sign | typeof many)[] = [];
  const characters = Array.from(name);
  for (let at = 0; at < characters.length; at += 1) {
    const character = characters[at] ?? '';
    const choice = character === '[' ? readChoice(characters, at) : null;
    if (choice !== null) {
      signs.push(choice.choice);
      at = choice.end;
    } else if (character === '*') {
      if (signs.at(-1) !== many) signs.push(many);
    } else if (character === '?') signs.push(one);
    else if (character === '\\' && at + 1 < characters.length) signs.push(characters[(at += 1)] ?? '');
    else signs.push(character);
  }
  return signs.every((sign) => typeof sign === 'string') ? signs.join('') : signs;
}

/** Null: the bracket is not closed, and means itself. */
function readChoice(characters: readonly string[], start: number): { choice: Choice; end: number } | null {
  const without = characters[start + 1] === '!' || characters[start + 1] === '^';
  const first = start + (without ? 2 : 1);
  // One that closes at once is a member: `[]]`.
  const end = characters.indexOf(']', first + 1);
  if (end === -1) return null;
  const ranges: [string, string][] = [];
  for (let at = first; at < end; at += 1) {
    const from = characters[at] ?? '';
    const isRange = characters[at + 1] === '-' && at + 2 < end;
    ranges.push([from, isRange ? (characters[at + 2] ?? '') : from]);
    if (isRange) at += 2;
  }
  return { choice: { without, ranges }, end };
}

/** The globs without braces that one with braces stands for; null: too many. */
function expand(glob: string): readonly string[] | null {
  const braces = firstBraces(glob);
  if (braces === null) return [glob];
  const expanded: string[] = [];
  for (const part of braces.parts) {
    const further = expand(`${glob.slice(0, braces.start)}${part}${glob.slice(braces.end + 1)}`);
    if (further === null) return null;
    expanded.push(...further);
    if (expanded.length > globLimits.alternativesMax) return null;
  }
  return expanded;
}

/** The first braces with a comma in them, and what stands between the commas. */
function firstBraces(glob: string): { start: number; end: number; parts: readonly string[] } | null {
  for (let start = openBrace(glob, 0); start !== -1; start = openBrace(glob, start + 1)) {
    const commas: number[] = [];
    let depth = 0;
    for (let at = start; at < glob.length; at += 1) {
      const character = glob[at];
      if (character === '\\') at += 1;
      else if (character === '{') depth += 1;
      else if (character === ',' && depth === 1) commas.push(at);
      else if (character === '}' && (depth -= 1) === 0) {
        if (commas.length === 0) break;
        const ends = [...commas, at];
        return { start, end: at, parts: ends.map((end, place) => glob.slice((ends[place - 1] ?? start) + 1, end)) };
      }
    }
  }
  return null;
}

function openBrace(glob: string, from: number): number {
  for (let at = from; at < glob.length; at += 1) {
    if (glob[at] === '\\') at += 1;
    else if (glob[at] === '{') return at;
  }
  return -1;
}

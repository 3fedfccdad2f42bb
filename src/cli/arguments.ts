/** Words of the command line as values; what cannot be one is said with what is accepted. */
import { InvalidArgumentError } from 'commander';
import { reprocessChoices, type Reprocess } from '../journal/journal.ts';
import { datasetNamePattern, kubernetesLabelPattern, pipelineNamePattern } from '../pipeline/names.ts';
import { parseDuration } from '../std/duration.ts';
import { graphFormats, type GraphFormat } from './graph-text.ts';

const reasonLengthMax = 1000;

/** `YYYY-MM-DD` as the milliseconds of its midnight in UTC. */
export function parseDate(text: string): number {
  if (!/^\d{4}-\d{2}-\d{2}$/.test(text)) throw new InvalidArgumentError('Write it as YYYY-MM-DD.');
  const time = Date.parse(`${text}T00:00:00Z`);
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text)
    throw new InvalidArgumentError('There is no such day.');
  return time;
}

/** `YYYY-MM-DD`, or a moment as ISO 8601 writes it, in UTC. */
export function parseMoment(text: string): number {
  if (/^\d{4}-\d{2}-\d{2}$/.test(text)) return parseDate(text);
  const time = /^\d{4}-\d{2}-\d{2}T[\d:.]+Z$/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time)) throw new InvalidArgumentError('Write it as YYYY-MM-DD or YYYY-MM-DDTHH:MM:SSZ.');
  return time;
}

export function parseDataset(text: string): string {
  if (!datasetNamePattern.test(text)) throw new InvalidArgumentError('A name without spaces: s3://lake/churn.');
  return text;
}

export function parseDigest(text: string): string {
  if (text === '' || text.length > 200) throw new InvalidArgumentError('1 to 200 characters.');
  return text;
}

export function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

export function parseHttpUrl(text: string): string {
  if (!/^https?:\/\//.test(text) || !URL.canParse(text))
    throw new InvalidArgumentError('An address such as http://HOST:8081.');
  return text;
}

export function parseName(text: string): string {
  if (!pipelineNamePattern.test(text)) throw new InvalidArgumentError('A name of lower-case letters, digits and "-".');
  return text;
}

/** Of Kubernetes. */
export function parseNamespace(text: string): string {
  if (!kubernetesLabelPattern.test(text))
    throw new InvalidArgumentError('A name of at most 63 lower-case letters, digits and "-".');
  return text;
}

export function parseLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= 200)) throw new InvalidArgumentError('A number from 1 to 200.');
  return limit;
}

/** Of an instance of a mapped step. */
export function parseIndex(text: string): number {
  const index = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(index < 100_000)) throw new InvalidArgumentError('A number from 0.');
  return index;
}

/** How long a pod may stay that somebody looks into. */
export function parseStay(text: string): number {
  const duration = parseDuration(text);
  if (!duration.ok || duration.value < 300_000 || duration.value > 86_400_000)
    throw new InvalidArgumentError('A duration from 5m to 24h.');
  return duration.value;
}

export function parseMaxActive(text: string): number {
  const number = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(number >= 1 && number <= 100)) throw new InvalidArgumentError('A number from 1 to 100.');
  return number;
}

export function parseReprocess(text: string): Reprocess {
  const choice = reprocessChoices.find((known) => known === text);
  if (choice === undefined) throw new InvalidArgumentError(`One of ${reprocessChoices.join(', ')}.`);
  return choice;
}

export function parseSlots(text: string): number {
  const slots = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(slots >= 1 && slots <= 10_000)) throw new InvalidArgumentError('A number from 1 to 10000.');
  return slots;
}

export function collectPool(
  text: string,
  before: ReadonlyMap<string, number> | undefined,
): ReadonlyMap<string, number> {
  const [, name, slots] = /^([a-z][a-z0-9-]{0,62})=(.+)$/.exec(text) ?? [];
  if (name === undefined || slots === undefined) throw new InvalidArgumentError('Write it as name=slots: gpu=2.');
  return new Map([...(before ?? []), [name, parseSlots(slots)]]);
}

/** When something ends: so long after it begins, or at a moment. */
export type Until = { readonly afterMs: number } | { readonly at: number };

const untilMaxMs = 3660 * 86_400_000;

/** A duration of at most ten years, or `YYYY-MM-DD`. */
export function parseUntil(text: string): Until {
  if (/^\d+-/.test(text)) return { at: parseDate(text) };
  const duration = parseDuration(text);
  if (!duration.ok || duration.value === 0) throw new InvalidArgumentError('A duration such as 30d, or YYYY-MM-DD.');
  if (duration.value > untilMaxMs) throw new InvalidArgumentError('At most 3660d.');
  return { afterMs: duration.value };
}

/** Of an option that may be repeated: all that was given. */
export function collect(text: string, before: readonly string[] | undefined): readonly string[] {
  return [...(before ?? []), text];
}

/** As the API takes it. */
export function parseReason(text: string): string {
  if (text.trim() === '') throw new InvalidArgumentError('Say why.');
  if (text.length > reasonLengthMax) throw new InvalidArgumentError(`At most ${reasonLengthMax} characters.`);
  return text;
}

export function parseFormat(text: string): GraphFormat {
  const format = graphFormats.find((known) => known === text);
  if (format === undefined) throw new InvalidArgumentError(`One of ${graphFormats.join(', ')}.`);
  return format;
}

export type Parameters = Readonly<Record<string, string>>;

export function collectParameter(text: string, before: Parameters | undefined): Parameters {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError('Write it as name=value.');
  const name = text.slice(0, at);
  // Which of the two was meant, nobody can know.
  if (before !== undefined && Object.hasOwn(before, name))
    throw new InvalidArgumentError(`The parameter ${name} is given twice.`);
  return { ...before, [name]: text.slice(at + 1) };
}

/** Words of the command line as values; what cannot be one is said with what is accepted. */
import { InvalidArgumentError } from 'commander';
import { graphFormats, type GraphFormat } from './graph-text.ts';

/** `YYYY-MM-DD` as the milliseconds of its midnight in UTC. */
export function parseDate(text: string): number {
  const time = /^\d{4}-\d{2}-\d{2}$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  if (Number.isNaN(time) || new Date(time).toISOString().slice(0, 10) !== text) {
    throw new InvalidArgumentError('Write it as YYYY-MM-DD.');
  }
  return time;
}

export function parsePort(text: string): number {
  const port = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(port <= 65_535)) throw new InvalidArgumentError('A port is a number from 0 to 65535.');
  return port;
}

export function parseLimit(text: string): number {
  const limit = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(limit >= 1 && limit <= 200)) throw new InvalidArgumentError('A number from 1 to 200.');
  return limit;
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

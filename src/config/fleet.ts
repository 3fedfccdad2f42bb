/** The workers that carry out steps, and how those and the server find each other. */
import { given, type Environment } from './environment.ts';
import { invalid } from './file.ts';
import type { ConfigFile } from './schema.ts';

export interface FleetConfig {
  readonly redis: RedisConfig;
  /** Of steps that name none. */
  readonly queue: string;
  /** Where workers find the server. */
  readonly listen: { readonly host: string; readonly port: number };
  /** Until a worker must have begun what waits. */
  readonly startMs: number;
  /** Until a worker that says nothing is given up. */
  readonly lostMs: number;
}

export interface RedisConfig {
  readonly url: string;
  readonly prefix: string;
}

type Settings = NonNullable<ConfigFile['executor']['fleet']>;

export function readFleet(settings: Settings, environment: Environment): FleetConfig {
  const { queue, listen, prefix, startTimeout, lostAfter } = settings;
  return { redis: { url: readRedisUrl(environment), prefix }, queue, listen, startMs: startTimeout, lostMs: lostAfter };
}

/** Throws a `ProblemError` (`config-invalid`). */
export function readRedisUrl(environment: Environment): string {
  const url = given(environment, 'CONTENDER_REDIS_URL');
  // The value itself may hold a password.
  const help = 'Write it as redis://USER:PASSWORD@HOST:6379/0 (rediss:// with TLS), with special characters as %XX.';
  if (url === null) throw invalid('CONTENDER_REDIS_URL is not set, and workers are found through Redis', null, help);
  if (/^rediss?:\/\//.test(url) && URL.canParse(url)) return url;
  throw invalid('CONTENDER_REDIS_URL is no address of a Redis', null, help);
}

/** What starts a run: the option `on`. */
import type { TriggerDefinition } from './definition.ts';
import { readData, readEnds, type DataOption, type EndOption } from './listening.ts';
import { shown } from './misuse.ts';
import type { OptionReader } from './options.ts';

export interface TriggerOptions {
  /** A cron expression of five fields (in UTC), or with its time zone. */
  readonly schedule?:
    | string
    | { readonly cron: string; readonly timeZone?: string; readonly catchup?: 'none' | 'latest' | 'all' };
  /** `true` for every push to the default branch; globs name other branches, or tags, and narrow it to paths. */
  readonly push?:
    | boolean
    | { readonly branches?: readonly string[]; readonly tags?: readonly string[]; readonly paths?: readonly string[] };
  readonly pullRequest?: boolean | { readonly branches?: readonly string[]; readonly paths?: readonly string[] };
  /** The end of a run of another pipeline: its name for a success on the default branch, or more about it. */
  readonly pipeline?: string | EndOption | readonly (string | EndOption)[];
  /** News of a dataset, or of each of several since the last run; `any`: of one of them. */
  readonly data?: string | readonly string[] | DataOption;
}

export function readTriggers(options: OptionReader): TriggerDefinition {
  const on = options.nested('on', ['schedule', 'push', 'pullRequest', 'pipeline', 'data']);
  if (on === null) return { schedule: null, push: null, pullRequest: null };
  return {
    schedule: readSchedule(on),
    push: readPush(on),
    pullRequest: readPullRequest(on),
    ...readEnds(on),
    ...readData(on),
  };
}

function readSchedule(on: OptionReader): TriggerDefinition['schedule'] {
  const value = on.raw('schedule');
  if (value === undefined || value === null) return null;
  if (typeof value === 'string') return { cron: checkCron(on, value), timeZone: 'UTC', catchup: 'none' };
  const schedule = on.nested('schedule', ['cron', 'timeZone', 'catchup']);
  if (schedule === null) return null;
  return {
    cron: checkCron(schedule, schedule.requiredText('cron')),
    timeZone: checkTimeZone(schedule, schedule.text('timeZone', 'UTC')),
    catchup: schedule.choice('catchup', ['none', 'latest', 'all'], 'none'),
  };
}

/** Only the shape; the calendar, which reads the fields, proves the rest. */
function checkCron(options: OptionReader, text: string): string {
  const cron = text.trim().replaceAll(/\s+/g, ' ');
  const field = String.raw`[A-Za-z0-9*?/,#-]+`;
  if (/^@(?:hourly|daily|midnight|weekly|monthly|yearly|annually)$/.test(cron)) return cron;
  if (new RegExp(`^${field}(?: ${field}){4,5}$`).test(cron)) return cron;
  return options.problem(
    `${shown(text)} is no cron expression`,
    'Write five fields, minute, hour, day of month, month, day of week: "0 2 * * 1" is Mondays at 02:00.',
  );
}

function checkTimeZone(options: OptionReader, text: string): string {
  if (/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+){0,2}$/.test(text)) return text;
  return options.problem(
    `${shown(text)} is no time zone`,
    'Write a name of the IANA database, such as "Europe/Berlin" or "UTC".',
  );
}

function readPush(on: OptionReader): TriggerDefinition['push'] {
  const value = on.raw('push');
  if (value === undefined || value === null || value === false) return null;
  if (value === true) return { branches: [], tags: [], paths: [] };
  const push = on.nested('push', ['branches', 'tags', 'paths']);
  return push === null
    ? null
    : { branches: push.globs('branches'), tags: push.globs('tags'), paths: push.globs('paths') };
}

function readPullRequest(on: OptionReader): TriggerDefinition['pullRequest'] {
  const value = on.raw('pullRequest');
  if (value === undefined || value === null || value === false) return null;
  if (value === true) return { branches: [], paths: [] };
  const pullRequest = on.nested('pullRequest', ['branches', 'paths']);
  return pullRequest === null ? null : { branches: pullRequest.globs('branches'), paths: pullRequest.globs('paths') };
}

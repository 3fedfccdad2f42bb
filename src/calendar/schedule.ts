/**
 * A cron expression after reading: plain data, ready for the search. Local times are whole seconds since 1970-01-01 as
 * a clock on the wall would count them; instants are milliseconds since the Unix epoch.
 */

/** Which values each field of the expression allows. Lists are in rising order and never empty. */
export interface CronFields {
  readonly seconds: readonly number[];
  readonly minutes: readonly number[];
  readonly hours: readonly number[];
  readonly daysOfMonth: DaysOfMonth;
  /** 1 to 12. */
  readonly months: ReadonlySet<number>;
  readonly daysOfWeek: DaysOfWeek;
  /** As in Debian cron: where a day field begins with `*` both must match, otherwise either is enough. */
  readonly dayRule: 'both' | 'either';
}

export interface DaysOfMonth {
  /** 1 to 31. */
  readonly days: ReadonlySet<number>;
  /** `L`: the last day of the month. */
  readonly last: boolean;
  /** `LW`: the last day of the month that is no Saturday or Sunday. */
  readonly lastWorkday: boolean;
}

/** Days of the week, 0 (Sunday) to 6. */
export interface DaysOfWeek {
  readonly days: ReadonlySet<number>;
  /** `5L`: the last Friday of the month. */
  readonly last: ReadonlySet<number>;
  /** `1#2`: the second Monday of the month, as day * 10 + number. */
  readonly numbered: ReadonlySet<number>;
}

export interface Schedule {
  /** As written. */
  readonly cron: string;
  /** IANA name, as written. */
  readonly timeZone: string;
  readonly fields: CronFields;
  /**
   * True where the hour or the minute begins with `*`: the job runs whenever the clock on the wall matches, so not in a
   * skipped hour and twice in a repeated one. Otherwise it has fixed times: each runs once on each of its days.
   */
  readonly byTheClock: boolean;
}

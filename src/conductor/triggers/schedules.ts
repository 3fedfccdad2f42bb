/**
 * Ticks: the schedules of a repository are those of its default branch's newest commit. Each tick is decided once, by
 * the calendar, and its record and its run share one commit, so that two servers or a restart never fire it twice.
 */
import {
  decideTicks,
  formatLocalTime,
  intervalOf,
  nextFiring,
  parseSchedule,
  ticksPerPageMax,
  type Schedule,
  type TickDecision,
} from '../../calendar/calendar.ts';
import type { RunOpened } from '../../engine/event.ts';
import { shaOf } from '../sha.ts';
import type { Commit, Write } from '../../journal/journal.ts';
import type { PipelineDefinition, TriggerDefinition } from '../../pipeline/definition.ts';
import { namesOfBroken } from '../broken-files.ts';
import { noteListeners } from './data-listeners.ts';
import type { HeldUp } from './held-up.ts';
import type { ConductorPorts, Project } from '../ports.ts';
import { missedTickNotices } from '../reports/notices.ts';
import { noteSchedules, sinceOf, type Counting } from './schedule-since.ts';
import { laneOf, openRun, parseParameters } from './triggers.ts';
import { isSilence } from '../silence.ts';
import { Trouble } from '../trouble.ts';
import type { Turns } from '../runs/turns.ts';
import { versionsOf } from '../versions.ts';

interface Active {
  readonly project: Project;
  readonly sha: string;
  readonly definition: PipelineDefinition;
  readonly digest: string;
  readonly schedule: Schedule;
  readonly catchup: NonNullable<TriggerDefinition['schedule']>['catchup'];
}

/** No timer sleeps longer: a clock that was set, or a machine that slept, is noticed within it. */
const lookAgainMs = 60_000;

export class Schedules {
  readonly #ports: ConductorPorts;
  readonly #turns: Turns;
  readonly #heldUp: HeldUp;
  readonly #trouble = new Trouble();
  readonly #active = new Map<string, readonly Active[]>();
  /** Where the default branches stood when their schedules were read; null: they had not been looked at. */
  readonly #heads = new Map<string, { readonly branch: string; readonly sha: string | null }>();

  constructor(ports: ConductorPorts, turns: Turns, heldUp: HeldUp) {
    this.#ports = ports;
    this.#turns = turns;
    this.#heldUp = heldUp;
  }

  /** Reads the schedules of a repository again, and who listens to data, from the commit that its default branch stands at. */
  async refresh(repository: string): Promise<void> {
    try {
      await this.#refresh(repository);
    } catch (error) {
      this.#heldUp.beginAll(repository, this.#ports.clock.now());
      throw error;
    }
  }

  async #refresh(repository: string): Promise<void> {
    const { projects, log } = this.#ports;
    const project = projects.get(repository);
    if (project === undefined) return;
    const branch = await project.git.defaultBranch();
    if (!branch.ok) return this.#refreshLater(project, branch.error.message);
    const sha = shaOf(await this.#ports.journal.head(repository, branch.value));
    this.#heads.set(repository, { branch: branch.value, sha });
    this.#ports.jobQueue.wake('ticks');
    if (sha === null) return;
    const versions = await versionsOf(this.#ports, project, sha);
    if (!versions.ok) return this.#refreshLater(project, versions.error);
    if (this.#trouble.end(repository)) log.info({ repository }, 'the schedules can be read again');
    const active: Active[] = [];
    for (const [digest, definition] of versions.value.definitions) {
      const { schedule } = definition.on;
      const parsed = schedule === null ? null : parseSchedule(schedule.cron, schedule.timeZone);
      if (schedule !== null && parsed?.ok === true) {
        active.push({ project, sha, definition, digest, schedule: parsed.value, catchup: schedule.catchup });
      }
    }
    const { journal, clock } = this.#ports;
    const broken = new Set(namesOfBroken(versions.value.versions).values());
    const counting = active.map((each) => countingOf(each));
    await noteSchedules(journal, repository, counting, broken, clock.now());
    await noteListeners(journal, repository, versions.value.definitions.values(), broken, clock.now());
    this.#active.set(repository, active);
    this.#heldUp.endAll(
      repository,
      active.map(({ definition }) => definition.name),
    );
    this.#ports.jobQueue.wake('ticks');
  }

  #refreshLater({ name: repository, pollMs }: Project, reason: string): void {
    const { log, jobQueue, clock } = this.#ports;
    this.#heldUp.beginAll(repository, clock.now());
    const { isNews, againMs } = this.#trouble.meet(repository, reason, pollMs);
    if (isNews) log.warn({ repository, reason }, 'the schedules could not be read; it is tried again');
    jobQueue.wake(`schedules:${repository}`, clock.now() + againMs);
  }

  async work(): Promise<void> {
    const { clock, jobQueue } = this.#ports;
    let wakeAt = clock.now() + lookAgainMs;
    await this.#lookAtHeads();
    for (const active of [...this.#active.values()].flat()) {
      const againAt = await this.#follow(active);
      const next = nextFiring(active.schedule, clock.now());
      wakeAt = Math.min(wakeAt, againAt ?? wakeAt, next ?? wakeAt);
    }
    jobQueue.wake('ticks', wakeAt);
  }

  /** Whoever moved a head may have died before it said so, or be another server. */
  async #lookAtHeads(): Promise<void> {
    const { clock, jobQueue, journal } = this.#ports;
    try {
      for (const [repository, { branch, sha }] of this.#heads)
        if (shaOf(await journal.head(repository, branch)) !== sha) jobQueue.wake(`schedules:${repository}`);
    } catch (error) {
      for (const { project, definition } of [...this.#active.values()].flat())
        this.#heldUp.begin(project.name, definition.name, clock.now());
      throw error;
    }
  }

  /** Null: all that is due is decided; else when to try again. */
  async #follow(active: Active): Promise<number | null> {
    const { clock, log } = this.#ports;
    const { project, definition } = active;
    const key = laneOf({ repository: project.name, definition });
    try {
      while (await this.#firePage(active));
      if (this.#trouble.end(key)) log.info({ pipeline: definition.name }, 'the schedule is followed again');
      return null;
    } catch (error) {
      const now = clock.now();
      this.#heldUp.begin(project.name, definition.name, now);
      const { isNews, againMs } = this.#trouble.meet(key, String(error), lookAgainMs);
      // That the journal does not answer is told once for all that need it.
      if (isNews && !isSilence(error)) {
        const fields = { pipeline: definition.name, error: String(error) };
        log.error(fields, 'a schedule could not be followed; it is tried again');
      }
      return now + againMs;
    }
  }

  /**
   * Decides on the ticks that are due, as many as the calendar gives at once; true where there may be more.
   */
  async #firePage(active: Active): Promise<boolean> {
    const { journal, clock, jobQueue } = this.#ports;
    const { project, definition, schedule, catchup } = active;
    const since = await sinceOf(journal, project.name, countingOf(active));
    if (since === null) {
      // Another server saw another head; whichever of them is behind looks again.
      jobQueue.wake(`schedules:${project.name}`, clock.now() + lookAgainMs);
      return false;
    }
    const last = await journal.lastTick(project.name, definition.name);
    // What the schedule would have fired before it was there is nobody's miss.
    const lastRecorded = Math.max(last ?? since, since);
    const heldUpSince = this.#heldUp.since(project.name, definition.name);
    const replaces = definition.overlap === 'replace';
    const decisions = decideTicks({ schedule, lastRecorded, now: clock.now(), catchup, heldUpSince, replaces });
    const parameters = parseParameters(definition.parameters, {});
    const told = this.#missedNotices(active, decisions, parameters.ok ? null : parameters.error);
    let missed: Commit[] = [];
    for (const { tick, decision, reason } of decisions) {
      if (decision === 'missed' || !parameters.ok) {
        const notices = tick === told?.lastTick ? told.notices : [];
        missed.push([this.#missed(active, tick, parameters.ok ? reason : parameters.error), ...notices]);
        continue;
      }
      // In order: the last tick on record says that those before it are decided.
      if (missed.length > 0) await journal.commit(missed);
      missed = [];
      await this.#fire(active, tick, reason, parameters.value);
    }
    if (missed.length > 0) await journal.commit(missed);
    const isMore = decisions.length === ticksPerPageMax;
    if (!isMore) this.#heldUp.end(project.name, definition.name);
    return isMore;
  }

  /** Of the ticks that are missed now: one for all, which is kept with the last of them. Null where `catchup` or `overlap` wants no more. */
  #missedNotices(
    { project, definition, schedule: { timeZone }, catchup }: Active,
    decisions: readonly TickDecision[],
    mistake: string | null,
  ): { readonly lastTick: number; readonly notices: readonly Write[] } | null {
    const missed = decisions.filter(({ decision }) => decision === 'missed' || mistake !== null);
    const [first, last] = [missed[0], missed.at(-1)];
    if (first === undefined || last === undefined) return null;
    const isWanted = catchup === 'latest' || (catchup === 'all' && definition.overlap === 'replace');
    if (isWanted && mistake === null) return null;
    const lastText = formatLocalTime(timeZone, last.tick);
    const which =
      missed.length === 1
        ? `Its tick of ${lastText} did not run`
        : `${missed.length} ticks, from ${formatLocalTime(timeZone, first.tick)} to ${lastText}, did not run`;
    const { clock, notifier } = this.#ports;
    const news = { lastTick: last.tick, at: clock.now(), reason: `${which}: ${mistake ?? last.reason}.` };
    return { lastTick: last.tick, notices: missedTickNotices(project.name, definition, notifier.defaults, news) };
  }

  async #fire(active: Active, tick: number, reason: string, parameters: RunOpened['parameters']): Promise<void> {
    const { project, definition, digest, sha, schedule } = active;
    const at = this.#ports.clock.now();
    const interval = intervalOf(schedule, tick);
    const place = { repository: project.name, pipeline: definition.name, tick, at } as const;
    const opened = await openRun(this.#ports, this.#turns, {
      key: `schedule:${project.name}:${definition.name}:${tick}`,
      repository: project.name,
      sha,
      trigger: { kind: 'schedule', tick },
      definition,
      digest,
      logicalDate: interval.start,
      dataIntervalEnd: interval.end,
      parameters,
      alongside: (runId) => ({ write: 'tick', ...place, decision: 'run', reason, runId }),
      reused: [],
    });
    if ('skipped' in opened) await this.#ports.journal.commit([[this.#missed(active, tick, opened.skipped)]]);
  }

  #missed({ project, definition }: Active, tick: number, reason: string): Write {
    const place = { repository: project.name, pipeline: definition.name, tick, at: this.#ports.clock.now() } as const;
    return { write: 'tick', ...place, decision: 'missed', reason, runId: null };
  }
}

function countingOf({ definition, schedule: { cron, timeZone } }: Active): Counting {
  return { pipeline: definition.name, cron, timeZone };
}

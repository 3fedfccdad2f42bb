/**
 * Ticks: the schedules of a repository are those of its default branch's newest commit. Each tick is decided once, by
 * the calendar, and its record and its run share one commit, so that two servers or a restart never fire it twice.
 */
import { decideTicks, intervalOf, nextFiring, parseSchedule, type Schedule } from '../calendar/calendar.ts';
import { shaOf } from './sha.ts';
import type { Write } from '../journal/journal.ts';
import type { PipelineDefinition, TriggerDefinition } from '../pipeline/definition.ts';
import type { ConductorPorts, Project } from './ports.ts';
import { openRun, parseParameters } from './triggers.ts';
import type { Turns } from './turns.ts';
import { versionsOf } from './versions.ts';

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
  readonly #active = new Map<string, readonly Active[]>();

  constructor(ports: ConductorPorts, turns: Turns) {
    this.#ports = ports;
    this.#turns = turns;
  }

  /** Reads the schedules of a repository again, from the commit that its default branch stands at. */
  async refresh(repository: string): Promise<void> {
    const project = this.#ports.projects.get(repository);
    if (project === undefined) return;
    const branch = await project.git.defaultBranch();
    if (!branch.ok) return;
    const head = await this.#ports.journal.head(repository, branch.value);
    const sha = shaOf(head);
    if (sha === null) return;
    const versions = await versionsOf(this.#ports, project, sha);
    if (!versions.ok) {
      this.#ports.log.warn({ repository, reason: versions.error }, 'the schedules could not be read');
      return;
    }
    const active: Active[] = [];
    for (const [digest, definition] of versions.value.definitions) {
      const { schedule } = definition.on;
      const parsed = schedule === null ? null : parseSchedule(schedule.cron, schedule.timeZone);
      if (schedule !== null && parsed?.ok === true) {
        active.push({ project, sha, definition, digest, schedule: parsed.value, catchup: schedule.catchup });
      }
    }
    this.#active.set(repository, active);
    this.#ports.jobQueue.wake('ticks');
  }

  async work(): Promise<void> {
    let wakeAt = this.#ports.clock.now() + lookAgainMs;
    for (const active of [...this.#active.values()].flat()) {
      try {
        await this.#fireDue(active);
      } catch (error) {
        this.#ports.log.error(
          { pipeline: active.definition.name, error: String(error) },
          'a schedule could not be followed',
        );
      }
      const next = nextFiring(active.schedule, this.#ports.clock.now());
      if (next !== null) wakeAt = Math.min(wakeAt, next);
    }
    this.#ports.jobQueue.wake('ticks', wakeAt);
  }

  async #fireDue(active: Active): Promise<void> {
    const { journal, clock } = this.#ports;
    const { project, definition, schedule } = active;
    const since = (await journal.lastTick(project.name, definition.name)) ?? (await this.#since(active));
    for (const due of decideTicks({ schedule, lastRecorded: since, now: clock.now(), catchup: active.catchup })) {
      const tick = {
        write: 'tick',
        repository: project.name,
        pipeline: definition.name,
        tick: due.tick,
        at: clock.now(),
        reason: due.reason,
      } as const;
      if (due.decision === 'missed') {
        await journal.commit([[{ ...tick, decision: 'missed', runId: null }]]);
        continue;
      }
      const parameters = parseParameters(definition.parameters, {});
      if (!parameters.ok) {
        await journal.commit([[{ ...tick, decision: 'missed', reason: parameters.error, runId: null }]]);
        continue;
      }
      await this.#fire(active, due.tick, parameters.value, (runId) => ({ ...tick, decision: 'run', runId }));
    }
  }

  async #fire(
    active: Active,
    tick: number,
    parameters: Record<string, string | number | boolean>,
    record: (runId: string) => Write,
  ): Promise<void> {
    const interval = intervalOf(active.schedule, tick);
    const opened = await openRun(this.#ports, this.#turns, {
      key: `schedule:${active.project.name}:${active.definition.name}:${tick}`,
      repository: active.project.name,
      sha: active.sha,
      trigger: { kind: 'schedule', tick },
      definition: active.definition,
      digest: active.digest,
      logicalDate: interval.start,
      dataIntervalEnd: interval.end,
      parameters,
      alongside: record,
    });
    if ('skipped' in opened) {
      const missed: Write = {
        write: 'tick',
        repository: active.project.name,
        pipeline: active.definition.name,
        tick,
        at: this.#ports.clock.now(),
        decision: 'missed',
        reason: opened.skipped,
        runId: null,
      };
      await this.#ports.journal.commit([[missed]]);
    }
  }

  /** From when a schedule counts that never fired: the moment it was first seen, kept over restarts. */
  async #since(active: Active): Promise<number> {
    const { journal, clock } = this.#ports;
    const key = `schedule-since:${active.project.name}:${active.definition.name}:${active.schedule.cron}:${active.schedule.timeZone}`;
    const known = await journal.forgeObject(key);
    if (known !== null) return Number(known);
    const now = clock.now();
    await journal.commit([[{ write: 'forge-object', key, id: String(now), at: now }]]);
    return now;
  }
}

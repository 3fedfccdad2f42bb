/**
 * What came in from a forge, one delivery after the other: a push or pull request is a hint, so everything that matters
 * is read again from Git and the forge, pinned to the commit that it spoke of.
 */
import type { ForgeEvent, PullRequest } from '../forge/forge.ts';
import type { Sha } from '../git/git.ts';
import { shaOf } from './sha.ts';
import type { DeliveryRow, VersionRow, Write } from '../journal/journal.ts';
import type { PipelineDefinition } from '../pipeline/definition.ts';
import { unreachable } from '../std/unreachable.ts';
import { asksToSkip, matchPullRequest, matchPush, type Match } from './match.ts';
import { conductorLimits, type ConductorPorts, type Project } from './ports.ts';
import { settleMerged } from './promotion.ts';
import { reportWithoutRun } from './report-writes.ts';
import { coveringRun } from './covered.ts';
import { openRun, parseParameters, problemReports } from './triggers.ts';
import type { Turns } from './turns.ts';
import { versionsOf, type CommitVersions } from './versions.ts';

/** `again`: the commit is not there yet, or Git or the forge cannot be reached. */
type Handled = { readonly state: 'done' | 'ignored' | 'failed'; readonly note: string } | { readonly again: string };

export type PushEvent = Extract<ForgeEvent, { type: 'push' }>;

/** Branches that we write ourselves. */
const ownBranchPrefix = 'contender/';

export class Intake {
  readonly #ports: ConductorPorts;
  readonly #turns: Turns;
  /** Told when the commit that schedules come from may have changed. */
  readonly #headMoved: (repository: string) => void;

  constructor(ports: ConductorPorts, turns: Turns, headMoved: (repository: string) => void) {
    this.#ports = ports;
    this.#turns = turns;
    this.#headMoved = headMoved;
  }

  async work(): Promise<void> {
    const { journal, clock, jobQueue, log } = this.#ports;
    for (const delivery of await journal.pendingDeliveries(100)) {
      const handled = await this.#handle(delivery).catch((error: unknown): Handled => ({ again: String(error) }));
      const at = clock.now();
      if ('again' in handled && at - delivery.at < conductorLimits.commitLateMaxMs) {
        log.warn({ delivery: delivery.id, reason: handled.again }, 'a delivery waits');
        jobQueue.wake('intake', at + 2000);
        continue;
      }
      const end = 'again' in handled ? { state: 'failed' as const, note: handled.again } : handled;
      if (end.state === 'failed') log.error({ delivery: delivery.id, reason: end.note }, 'a delivery failed');
      await journal.commit([[{ write: 'delivery-done', id: delivery.id, state: end.state, note: end.note, at }]]);
    }
    jobQueue.wake('outbox');
  }

  async #handle(delivery: DeliveryRow): Promise<Handled> {
    const project = this.#ports.projects.get(delivery.repository);
    if (project === undefined) return { state: 'ignored', note: 'the repository is not in the configuration' };
    // The row was written by ourselves from a parsed event.
    const event = delivery.body as unknown as ForgeEvent;
    switch (event.type) {
      case 'push':
        return this.push(project, event);
      case 'pull-request':
        if (event.action === 'closed') return this.#closed(project, event.pullRequest);
        return this.pullRequest(project, event.pullRequest, event.actor);
      case 'comment':
      case 'rerequested':
        return { state: 'ignored', note: `${event.type} is not acted on` };
      case 'ping':
        return { state: 'done', note: 'pong' };
      case 'ignored':
        return { state: 'ignored', note: event.reason };
      default:
        return unreachable(event);
    }
  }

  async push(project: Project, event: PushEvent): Promise<Handled> {
    const branch = /^refs\/heads\/(.+)$/.exec(event.ref)?.[1];
    if (branch === undefined) return { state: 'ignored', note: `${event.ref} is not a branch` };
    if (branch.startsWith(ownBranchPrefix)) return { state: 'ignored', note: 'our own branch' };
    const { journal, clock } = this.#ports;
    const sha = shaOf(event.after);
    if (sha === null) {
      await journal.commit([[{ write: 'head', repository: project.name, branch, sha: null, at: clock.now() }]]);
      return { state: 'done', note: `${branch} was deleted` };
    }
    const here = await project.git.fetch();
    if (!here.ok) return { again: here.error.message };
    const ensured = await project.git.ensure(sha);
    if (!ensured.ok)
      return ensured.error.kind === 'missing'
        ? { again: `commit ${sha} is not there: ${ensured.error.message}` }
        : { again: ensured.error.message };
    const head = await journal.head(project.name, branch);
    if (head === sha) return { state: 'done', note: 'known already' };
    if (await this.#isOlder(project, sha, head)) return { state: 'ignored', note: `${branch} is further on already` };
    const versions = await versionsOf(this.#ports, project, sha);
    if (!versions.ok) return { again: versions.error };
    return this.#openForPush(
      project,
      { branch, sha, before: event.before ?? head, actor: event.actor },
      versions.value,
    );
  }

  async #isOlder(project: Project, sha: Sha, head: string | null): Promise<boolean> {
    const headSha = shaOf(head);
    if (headSha === null) return false;
    const older = await project.git.isAncestor(sha, headSha);
    return older.ok && older.value;
  }

  async #openForPush(
    project: Project,
    push: { readonly branch: string; readonly sha: Sha; readonly before: string | null; readonly actor: string },
    versions: CommitVersions,
  ): Promise<Handled> {
    const { branch, sha } = push;
    const [defaultBranch, commit, paths] = await Promise.all([
      project.git.defaultBranch(),
      project.git.commit(sha),
      project.git.changedPaths(shaOf(push.before), sha),
    ]);
    if (!commit.ok) return { again: commit.error.message };
    const isDefault = defaultBranch.ok && defaultBranch.value === branch;
    // A base that is gone (a force push) makes every path a changed one.
    const changed = paths.ok
      ? paths.value
      : await project.git.files(sha, '').then((files) => (files.ok ? files.value.map((file) => file.path) : []));
    const about = { repository: project.name, sha, pullRequest: null };
    const note = await this.#openMatching(
      project,
      versions,
      about,
      { kind: 'push', branch, actor: push.actor },
      asksToSkip(commit.value.message),
      (definition) => matchPush(definition, { branch, isDefault }, changed),
    );
    const at = this.#ports.clock.now();
    const problems = isDefault || note.opened > 0 ? problemReports(about, versions.versions, at) : [];
    await this.#ports.journal.commit([[{ write: 'head', repository: project.name, branch, sha, at }, ...problems]]);
    if (isDefault) this.#headMoved(project.name);
    return { state: 'done', note: note.text };
  }

  async pullRequest(project: Project, pullRequest: PullRequest, actor: string): Promise<Handled> {
    const sha = shaOf(pullRequest.headSha);
    const baseSha = shaOf(pullRequest.baseSha);
    if (sha === null || baseSha === null) return { state: 'ignored', note: 'not a SHA' };
    const here = await project.git.fetch();
    if (!here.ok) return { again: here.error.message };
    const ensured = await project.git.ensure(sha);
    if (!ensured.ok) return { again: ensured.error.message };
    const versions = await versionsOf(this.#ports, project, sha);
    if (!versions.ok) return { again: versions.error };
    const [base, commit] = await Promise.all([project.git.mergeBase(baseSha, sha), project.git.commit(sha)]);
    if (!commit.ok) return { again: commit.error.message };
    const paths = await project.git.changedPaths(base.ok ? base.value : null, sha);
    if (!paths.ok) return { again: paths.error.message };
    const about = { repository: project.name, sha, pullRequest: pullRequest.number };
    if (pullRequest.fork) return this.#refuseFork(versions.value, about);
    const trigger = {
      kind: 'pull-request' as const,
      number: pullRequest.number,
      branch: pullRequest.headBranch,
      baseBranch: pullRequest.baseBranch,
      baseSha,
      actor,
      fork: false,
    };
    const note = await this.#openMatching(
      project,
      versions.value,
      about,
      trigger,
      asksToSkip(commit.value.message),
      (definition) => matchPullRequest(definition, pullRequest.baseBranch, paths.value),
    );
    await this.#ports.journal.commit([problemReports(about, versions.value.versions, this.#ports.clock.now())]);
    return { state: 'done', note: note.text };
  }

  /** A stranger's code would run as our own user: processes of this machine are for those who can push. */
  async #refuseFork(
    versions: CommitVersions,
    about: { readonly repository: string; readonly sha: string; readonly pullRequest: number },
  ): Promise<Handled> {
    const at = this.#ports.clock.now();
    const summary = 'A pull request from a fork does not run on the local executor: its code is not trusted';
    const writes = named(versions).flatMap(({ definition }) =>
      definition.on.pullRequest === null
        ? []
        : reportWithoutRun(
            { ...about, pipeline: definition.name, state: 'neutral', summary, problems: [], coveredBy: null },
            at,
          ),
    );
    await this.#ports.journal.commit([writes]);
    return { state: 'done', note: summary };
  }

  async #closed(project: Project, pullRequest: PullRequest): Promise<Handled> {
    if (!pullRequest.merged)
      return { state: 'done', note: `#${pullRequest.number} was closed without a merge: nothing is promoted` };
    const writes = await settleMerged(this.#ports, project.name, pullRequest.number);
    await this.#ports.journal.commit([writes]);
    return { state: 'done', note: `#${pullRequest.number} was merged: ${writes.length} evaluations to decide on` };
  }

  async #openMatching(
    project: Project,
    versions: CommitVersions,
    about: { readonly repository: string; readonly sha: Sha; readonly pullRequest: number | null },
    trigger: Extract<Parameters<typeof openRun>[2]['trigger'], { kind: 'push' | 'pull-request' }>,
    skip: boolean,
    match: (definition: PipelineDefinition) => Match,
  ): Promise<{ readonly opened: number; readonly text: string }> {
    const notes: string[] = [];
    let opened = 0;
    for (const { definition, digest } of named(versions)) {
      const matched = match(definition);
      if (matched === null) continue;
      const reason = skip ? 'The commit message asks to skip' : matched.affected ? null : 'Not affected by this change';
      const covering =
        reason === null && trigger.kind === 'push'
          ? await coveringRun(this.#ports, project, definition, about.sha)
          : null;
      if (reason !== null || covering !== null) {
        notes.push(`${definition.name}: ${reason ?? covering?.summary}`);
        await this.#reportSkipped(definition.name, about, trigger, reason, covering);
        continue;
      }
      const result = await this.#open(definition, digest, about, trigger);
      notes.push(`${definition.name}: ${result}`);
      opened += 1;
    }
    return { opened, text: notes.join('; ') || 'no pipeline listens' };
  }

  async #open(
    definition: PipelineDefinition,
    digest: string,
    about: { readonly repository: string; readonly sha: string; readonly pullRequest: number | null },
    trigger: Parameters<typeof openRun>[2]['trigger'],
  ): Promise<string> {
    const at = this.#ports.clock.now();
    const parameters = parseParameters(definition.parameters, {});
    if (!parameters.ok) {
      const report = reportWithoutRun(
        {
          ...about,
          pipeline: definition.name,
          state: 'error',
          summary: parameters.error,
          problems: [],
          coveredBy: null,
        },
        at,
      );
      await this.#ports.journal.commit([report]);
      return parameters.error;
    }
    const opened = await openRun(this.#ports, this.#turns, {
      key: triggerKey(definition.name, about, trigger),
      repository: about.repository,
      sha: about.sha,
      trigger,
      definition,
      digest,
      logicalDate: at,
      dataIntervalEnd: at,
      parameters: parameters.value,
      alongside: null,
    });
    return 'skipped' in opened ? opened.skipped : `run ${opened.runId}`;
  }

  async #reportSkipped(
    pipeline: string,
    about: { readonly repository: string; readonly sha: string; readonly pullRequest: number | null },
    trigger: Parameters<typeof openRun>[2]['trigger'],
    reason: string | null,
    covering: Awaited<ReturnType<typeof coveringRun>>,
  ): Promise<void> {
    const at = this.#ports.clock.now();
    const summary = reason ?? covering?.summary ?? '';
    const skipped: Write = {
      write: 'trigger-skipped',
      key: triggerKey(pipeline, about, trigger),
      at,
      reason: summary,
      coveredBy: covering?.runId ?? null,
    };
    const report = reportWithoutRun(
      {
        ...about,
        pipeline,
        state: covering?.state ?? 'neutral',
        summary,
        problems: [],
        coveredBy: covering?.runId ?? null,
      },
      at,
    );
    await this.#ports.journal.commit([[skipped, ...report]]);
  }
}

function triggerKey(
  pipeline: string,
  about: { readonly repository: string; readonly sha: string },
  trigger: Parameters<typeof openRun>[2]['trigger'],
): string {
  const scope =
    trigger.kind === 'push' ? trigger.branch : trigger.kind === 'pull-request' ? String(trigger.number) : trigger.kind;
  return `${trigger.kind}:${about.repository}:${pipeline}:${scope}:${about.sha}`;
}

/** The good versions of a commit. */
function named(
  versions: CommitVersions,
): readonly { readonly definition: PipelineDefinition; readonly digest: string; readonly row: VersionRow }[] {
  return versions.versions.flatMap((row) => {
    const definition = row.digest === null ? undefined : versions.definitions.get(row.digest);
    return definition === undefined || row.digest === null ? [] : [{ definition, digest: row.digest, row }];
  });
}

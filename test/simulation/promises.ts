/**
 * The promises that hold when faults have stopped and time has passed. Each look gives what is still open: an empty
 * answer means that the world has come to rest. What is open for too long is a broken promise (P4: everything ends).
 */
import { firstTriggerOf, type Trigger } from '../../src/engine/event.ts';
import type { ReportState } from '../../src/forge/forge.ts';
import { reportContext } from '../../src/forge/forge.ts';
import { defaultBranchKey } from '../../src/conductor/read.ts';
import { asksToSkip } from '../../src/conductor/triggers/match.ts';
import { shaOf } from '../../src/conductor/sha.ts';
import { notReplaced } from './beside.ts';
import { statusKey } from './forge.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import type { KeptRun } from './history.ts';
import { untold } from './notifier.ts';
import { releases, type Catalogue } from './pipelines.ts';
import { unrecorded, wrongTicks } from './ticks.ts';
import type { World } from './world.ts';

export interface Open {
  readonly promise: string;
  readonly what: string;
}

export function stillOpen(world: World): Open | null {
  for (const look of [
    serverRuns,
    runsEnd,
    requestsTaken,
    backfillsEnd,
    endsFollowed,
    newsTaken,
    ticksRecorded,
    earlierReplaced,
    hooksHandled,
    headsSeen,
    outboxEmpty,
    evaluationsDecided,
    forgeTold,
    peopleTold,
  ]) {
    const open = look(world);
    if (open !== null) return open;
  }
  return null;
}

function serverRuns({ conducting }: World): Open | null {
  return conducting === null ? { promise: 'P4', what: 'no server conducts' } : null;
}

function runsEnd({ history, servers }: World): Open | null {
  const [first] = history.unfinished;
  if (first !== undefined) {
    const run = history.runs.get(first);
    const last = run?.events.slice(-3).map((event) => event.type);
    return { promise: 'P4', what: `run ${first} of ${run?.opened.pipeline} goes on; last ${String(last)}` };
  }
  const running = servers.flatMap((server) => server.executor.running());
  if (running.length > 0) return { promise: 'P7', what: `${running.join(', ')} runs, and no run has it` };
  const looking = servers.flatMap((server) => server.executor.looking());
  return looking.length === 0 ? null : { promise: 'P7', what: `it is looked for ${looking.join(', ')} in no run` };
}

/** With a decision on each interval (looked at when it is told to have ended), and no run that it does not know. */
function backfillsEnd({ history }: World): Open | null {
  for (const [id, { state, waiting }] of history.backfills)
    if (state === 'running' || state === 'cancelling')
      return { promise: 'P9', what: `${id} is ${state} for ever, with ${waiting.size} intervals left` };
  for (const { opened } of history.runs.values()) {
    const { trigger, runId } = opened;
    if (trigger.kind === 'backfill' && history.backfills.get(trigger.backfill)?.runs.has(runId) !== true)
      return { promise: 'P9', what: `${runId} is of no interval of ${trigger.backfill}` };
  }
  return null;
}

/** Whoever listens, at the commit of a run that has ended, has a run of its own for it, or a record of why not. */
function endsFollowed({ history, remote, catalogue }: World): Open | null {
  for (const run of history.runs.values()) {
    const sha = shaOf(run.opened.sha);
    const commit = sha === null ? undefined : remote.commits.get(sha);
    if (history.unfinished.has(run.opened.runId) || commit === undefined) continue;
    for (const follower of definitionsIn(commit.files, catalogue)) {
      const what = history.listeners.openEnd(run, follower);
      if (what !== null) return { promise: 'P10', what };
    }
  }
  return null;
}

/** What steps have changed was told and decided on, and whoever listens at the head has taken what is new. */
function newsTaken({ history, remote, catalogue }: World): Open | null {
  const { listeners } = history;
  for (const [id, { state }] of listeners.events)
    if (state === 'open') return { promise: 'P10', what: `${id} is not decided on` };
  for (const { opened, events } of history.runs.values()) {
    const { kind } = firstTriggerOf(opened.trigger);
    if (kind === 'pull-request' || kind === 'backfill') continue;
    for (const { name, updates = [], cache } of catalogue.definition(opened.pipeline, 0).steps) {
      const succeeded = events.some(
        (each) => each.type === 'step-finished' && each.step === name && each.state === 'success',
      );
      const lost = updates.find(({ dataset }) => !listeners.events.has(`${opened.runId}/${name}/${dataset}`));
      if (succeeded && cache === null && lost !== undefined)
        return { promise: 'P10', what: `${opened.runId}/${name} has changed ${lost.dataset}, and nobody was told` };
    }
  }
  const main = remote.branches.get('main');
  const head = main === undefined ? undefined : remote.get(main);
  for (const listener of head === undefined ? [] : definitionsIn(head.files, catalogue)) {
    const what = listeners.openNews(listener);
    if (what !== null) return { promise: 'P10', what };
  }
  return null;
}

/** Schedules that stand at the head are followed. */
function ticksRecorded(world: World): Open | null {
  const { remote, catalogue } = world;
  const main = remote.branches.get('main');
  for (const definition of main === undefined ? [] : definitionsIn(remote.get(main).files, catalogue)) {
    const what = unrecorded(world, definition);
    if (what !== null) return { promise: 'P2', what };
  }
  return null;
}

function earlierReplaced({ history }: World): Open | null {
  const what = notReplaced(history);
  return what === null ? null : { promise: 'overlap', what };
}

function definitionsIn(files: ReadonlyMap<string, string>, catalogue: Catalogue): readonly PipelineDefinition[] {
  return [...files].flatMap(([path, text]) => {
    const name = /^\{"pipeline":"(\w+)"/.exec(text)?.[1];
    return name === undefined || !path.startsWith('.pipelines/') ? [] : [catalogue.definition(name, 0)];
  });
}

/** A run that ends settles what was asked of it; so this is about runs that go on, and what they were not told. */
function requestsTaken({ history }: World): Open | null {
  for (const [id, { runId, open }] of history.requests)
    if (open) return { promise: 'P8', what: `${id} of ${runId} is open, and the run has ended` };
  return null;
}

/**
 * A server that is up sees what is asked of its runs within seconds, or what slow answers make of them. A run whose opening
 * was kept without an answer is nobody's for up to a minute before.
 */
export function askedInVain({ history, time, steadySince, isDoubtful }: World): Open | null {
  const withinMs = isDoubtful ? 120_000 : 45_000;
  if (time.now < steadySince + withinMs) return null;
  for (const { runId, request, since, open } of history.requests.values()) {
    if (open && time.now >= since + withinMs)
      return { promise: 'P8', what: `${request.type} of ${runId}, asked for by ${request.by}, is not taken in` };
  }
  return null;
}

function hooksHandled({ history }: World): Open | null {
  for (const [id, { state }] of history.deliveries)
    if (state === 'pending') return { promise: 'P1', what: `webhook ${id} was kept and is not handled` };
  return null;
}

/** Each branch, tag and open pull request was seen where it stands, and led to a run or to a reason. */
function headsSeen({ history, remote, forge, catalogue }: World): Open | null {
  const tags = [...remote.tags].map(([tag, sha]) => [`refs/tags/${tag}`, sha] as const);
  const refs = new Map<string, string>([...remote.branches, ...tags, [defaultBranchKey, 'main']]);
  for (const [ref, sha] of refs) {
    if (history.heads.get(ref) !== sha)
      return { promise: 'P1', what: `${ref} is at ${sha}, seen at ${String(history.heads.get(ref))}` };
  }
  for (const [ref, sha] of history.heads)
    if (sha !== null && !refs.has(ref)) return { promise: 'P1', what: `${ref} is gone, and not missed` };
  for (const [ref, sha] of tags) {
    const commit = remote.get(sha);
    if (history.firstTags.get(ref) === sha || asksToSkip(commit.message)) continue;
    for (const { name, on } of definitionsIn(commit.files, catalogue)) {
      const globs = on.push?.tags ?? [];
      if (globs.some((glob) => glob !== releases)) continue;
      const isMeant = globs.length > 0 && ref.startsWith('refs/tags/v');
      if (isMeant !== history.triggers.has(`push:shop/models:${name}:${ref}:${sha}`))
        return { promise: 'P1', what: `${ref} at ${sha} led to ${isMeant ? 'nothing' : 'a run'} for ${name}` };
    }
  }
  for (const { number, state, headSha, fork } of forge.pullRequests.values()) {
    if (state !== 'open' || fork) continue;
    const commit = [...remote.commits.values()].find((each) => each.sha === headSha);
    if (commit === undefined || asksToSkip(commit.message)) continue;
    for (const { name, on } of definitionsIn(commit.files, catalogue)) {
      if (on.pullRequest === null) continue;
      if (!history.triggers.has(`pull-request:shop/models:${name}:${number}:${headSha}`))
        return { promise: 'P1', what: `#${number} at ${headSha} led to nothing for ${name}` };
    }
  }
  return null;
}

function outboxEmpty({ history }: World): Open | null {
  for (const [key, { state, error }] of history.outbox) {
    if (state === 'due') return { promise: 'P6', what: `${key} is not delivered: ${String(error)}` };
    if (state === 'given-up' && error === null) return { promise: 'P6', what: `${key} was given up for no reason` };
  }
  return null;
}

/** None is lost on the way, and what was promoted stands in the ledger, once. */
function evaluationsDecided({ history, forge, remote }: World): Open | null {
  for (const { id, state, policy, pullRequest, sha } of history.evaluations.values()) {
    if (state === 'promoting') return { promise: 'P5', what: `${id} is being promoted for ever` };
    if (state !== 'reported' || policy === 'never' || policy === 'on-approval') continue;
    const opened = history.runs.get(id.slice(0, id.indexOf('/')))?.opened;
    const trigger = opened === undefined ? undefined : firstTriggerOf(opened.trigger);
    const merged = forge.pullRequests.get(pullRequest ?? -1);
    if (trigger?.kind === 'schedule') return { promise: 'P5', what: `${id} of a schedule is not decided` };
    if (merged?.merged === true && merged.headSha === sha)
      return { promise: 'P5', what: `${id} was merged and is not decided` };
    const main = remote.branches.get('main');
    const tip = main === undefined ? undefined : remote.get(main);
    if (trigger?.kind === 'push' && trigger.branch === 'main' && tip?.sha === sha)
      return { promise: 'P5', what: `${id} of main is not decided` };
  }
  return null;
}

function peopleTold({ told, history }: World): Open | null {
  const what = untold(told, history);
  return what === null ? null : { promise: 'told', what };
}

function forgeTold(world: World): Open | null {
  return statusesTold(world) ?? commentsTold(world);
}

function statusesTold({ history, forge }: World): Open | null {
  for (const [key, { kind, about, state }] of history.outbox) {
    const { sha, pipeline, runId } = about;
    if (state !== 'done' || kind !== 'status' || sha === null || pipeline === null) continue;
    const shown = forge.statuses.get(statusKey(sha, pipeline));
    // That there is no run for some change is not said of a commit that has one.
    const run = runId === null ? runThatSpeaks(history, sha, pipeline) : history.runs.get(runId);
    const wanted = run === undefined ? about.state : finalState(run);
    if (shown?.state !== wanted)
      return { promise: 'P6', what: `${key} shows ${shown?.state ?? 'nothing'}, and is ${wanted ?? 'unknown'}` };
  }
  return null;
}

function runThatSpeaks({ runs }: World['history'], sha: string, pipeline: string): KeptRun | undefined {
  return [...runs.values()].findLast(
    ({ opened }) =>
      opened.sha === sha && opened.pipeline === pipeline && firstTriggerOf(opened.trigger).kind !== 'backfill',
  );
}

/** One for each pipeline and pull request, about the commit that it stands at, with an end. */
function commentsTold(world: World): Open | null {
  const { history, forge } = world;
  const ofChanges = forge.changes.map(({ pullRequest }) => pullRequest);
  const doubled = ofChanges.find((number, at) => ofChanges.indexOf(number) !== at);
  if (doubled !== undefined) return { promise: 'P6', what: `two comments of what #${doubled} changes` };
  for (const [key, { kind, about, state }] of history.outbox) {
    const { pipeline, runId, pullRequest } = about;
    if (state !== 'done' || kind !== 'comment' || pipeline === null) continue;
    const context = reportContext(pipeline);
    const [shown, second] = forge.comments.filter(
      (comment) => comment.pullRequest === pullRequest && comment.context === context,
    );
    if (second !== undefined) return { promise: 'P6', what: `two comments of ${context} on #${pullRequest}` };
    // A neutral word about nothing is worth no comment.
    if (shown === undefined && runId === null && about.state === 'neutral') continue;
    if (shown === undefined && isAboutNothing(world, pipeline, pullRequest)) continue;
    if (shown === undefined) return { promise: 'P6', what: `${key} was delivered and is nowhere` };
    if (shown.report.state === 'running' || shown.report.state === 'waiting')
      return { promise: 'P6', what: `${key} says ${shown.report.state} for ever` };
    const open = forge.pullRequests.get(shown.pullRequest);
    // A head that went back to a commit that was run before asks for nothing new.
    const newest = [...history.runs.values()].findLast(
      ({ opened: { pipeline: of, trigger } }) => of === pipeline && numberOf(trigger) === pullRequest,
    );
    if (open?.state === 'open' && open.headSha !== shown.report.sha && newest?.opened.sha === open.headSha)
      return { promise: 'P6', what: `the comment of ${context} on #${pullRequest} is about an older commit` };
  }
  return null;
}

/** Whether the head of the pull request led to no run and no problem: the comment is about that, whoever asked for it. */
function isAboutNothing({ history, forge }: World, pipeline: string, pullRequest: number | null): boolean {
  const head = pullRequest === null ? undefined : forge.pullRequests.get(pullRequest)?.headSha;
  return [...history.outbox.values()].some(
    ({ kind, about }) =>
      kind === 'status' && about.pipeline === pipeline && about.sha === head && about.state === 'neutral',
  );
}

function numberOf(trigger: Trigger): number | null {
  const first = firstTriggerOf(trigger);
  return first.kind === 'pull-request' ? first.number : null;
}

function finalState(run: KeptRun): ReportState {
  if (run.state !== 'success') return run.state === 'cancelled' ? 'cancelled' : 'failure';
  const outputs = run.events.flatMap((event) => {
    if (event.type === 'step-reused') return event.output ?? [];
    return event.type === 'attempt-finished' && event.outcome.kind === 'succeeded' ? event.outcome.output : [];
  });
  const worse = outputs.some((output) => JSON.stringify(output).includes('"kind":"worse"'));
  return worse ? 'failure' : 'success';
}

/** Promises on what was done once and for all: they hold, or are broken. */
export async function checkAtRest(world: World): Promise<void> {
  await checkLedgers(world);
  const tick = wrongTicks(world);
  if (tick !== null) world.violated('P2', tick);
}

/** One champion, versions without gaps, each decision once, none against a stale champion. */
async function checkLedgers({ registry, history, violated }: World): Promise<void> {
  for (const model of ['churn', 'tick']) {
    const [ledger, pointer] = await Promise.all([registry.ledger(model), registry.model(model)]);
    if (!ledger.ok || !pointer.ok) return violated('bug', 'the registry does not answer');
    const decisions = new Set<string>();
    for (const [index, entry] of ledger.value.entries()) {
      if (decisions.has(entry.decision)) violated('P5', `${entry.decision} was promoted twice`);
      decisions.add(entry.decision);
      if (entry.version !== index + 1) violated('P5', `version ${entry.version} of ${model} is out of order`);
      if (entry.previous !== entry.evidence.comparedWith)
        violated('P5', `${entry.decision} was compared with ${entry.evidence.comparedWith}, not ${entry.previous}`);
      const evaluation = history.evaluations.get(entry.decision);
      const trigger = history.runs.get(entry.evidence.runId)?.opened.trigger;
      if (trigger !== undefined && firstTriggerOf(trigger).kind === 'backfill')
        violated('P5', `${entry.decision} of a backfill was promoted`);
      if (evaluation?.state !== 'promoted' || evaluation.version !== entry.version)
        violated('P5', `${entry.decision} is version ${entry.version}, and the journal says ${evaluation?.state}`);
    }
    const artifacts = new Map<string, number>();
    for (const { version, artifact } of pointer.value?.versions ?? []) {
      const twin = artifacts.get(artifact.$artifact);
      if (twin !== undefined) violated('P5', `versions ${twin} and ${version} of ${model} are the same`);
      artifacts.set(artifact.$artifact, version);
    }
    const champion = pointer.value?.aliases.champion ?? null;
    if (champion !== (ledger.value.at(-1)?.version ?? null)) violated('P5', `${model}: champion ${champion}`);
    for (const { id, model: of, state } of history.evaluations.values())
      if (of === model && state === 'promoted' && !decisions.has(id)) violated('P5', `${id} was never promoted`);
  }
}

/** Makes the view of a run from what the journal says about it. */
import type { Run } from '../engine/run.ts';
import { firstTriggerOf, type FirstTrigger, type RerunSteps, type RunOpened } from '../engine/event.ts';
import { parameterText } from '../pipeline/parameter.ts';
import { unreachable } from '../std/unreachable.ts';
import type { RunChain, RunHead, TriggerView } from './run-view.ts';

/** Addresses that only the forge knows. */
export interface ForgeLinks {
  readonly commitUrl: (sha: string) => string | null;
  readonly pullRequestUrl: (number: number) => string | null;
}

const noChain: RunChain = { earlier: null, later: [], upstream: null, followers: [] };

export function headOf(run: Run, number: number, summary: string, links: ForgeLinks, chain = noChain): RunHead {
  const { opened, definition } = run;
  return {
    id: opened.runId,
    number,
    pipeline: opened.pipeline,
    repository: opened.repository,
    description: definition.description,
    owner: definition.owner,
    tags: definition.tags,
    state: run.state,
    hasFinallySteps: run.stopping !== null && run.finallyStopping === null && run.unfinishedFinallySteps > 0,
    summary,
    openedAt: opened.at,
    finishedAt: run.finishedAt,
    deadline:
      definition.deadlineMs === null ? null : { at: opened.at + definition.deadlineMs, missed: run.deadlineMissed },
    logicalDate: isForAnotherTime(opened) ? opened.logicalDate : null,
    trigger: triggerOf(opened, links),
    chain,
    ...newsOf(firstTriggerOf(opened.trigger)),
    sha: opened.sha,
    shaUrl: links.commitUrl(opened.sha),
    parameters: Object.entries(opened.parameters).map(([name, value]) => ({ name, value: parameterText(value) })),
  };
}

/** A run that a push or a person started is for the moment of its start, which is told anyway. */
function isForAnotherTime({ trigger, logicalDate, at }: RunOpened): boolean {
  const { kind } = firstTriggerOf(trigger);
  return kind === 'schedule' || kind === 'backfill' || Math.abs(logicalDate - at) > 60_000;
}

export function triggerOf({ trigger, logicalDate }: RunOpened, links: ForgeLinks): TriggerView {
  const first = firstViewOf(firstTriggerOf(trigger), logicalDate, links);
  if (trigger.kind !== 'rerun') return first;
  return { ...first, text: [first.text, `run again${by(trigger.actor)}`].filter((text) => text !== '').join(', ') };
}

/** Which steps a re-run carries out, in words. */
export function stepsText(steps: RerunSteps): string {
  if (typeof steps === 'object') return `from ${steps.from}`;
  return steps === 'all' ? 'all steps' : 'the failed steps';
}

function firstViewOf(trigger: FirstTrigger, logicalDate: number, links: ForgeLinks): TriggerView {
  switch (trigger.kind) {
    case 'push':
      return { text: `pushed${by(trigger.actor)}`, branch: trigger.branch, pullRequest: null };
    case 'pull-request':
      return {
        text: by(trigger.actor).trim(),
        branch: trigger.branch,
        pullRequest: { number: trigger.number, url: links.pullRequestUrl(trigger.number), fork: trigger.fork },
      };
    case 'schedule':
      return { text: 'started by its schedule', branch: null, pullRequest: null };
    case 'manual':
      return { text: `started${by(trigger.actor)}`, branch: null, pullRequest: null };
    case 'backfill': {
      const date = new Date(logicalDate).toISOString().slice(0, 10);
      return { text: `backfill of ${date}${by(trigger.actor)}`, branch: null, pullRequest: null };
    }
    case 'pipeline':
      return {
        text: `after a run of ${trigger.pipeline}: ${trigger.state}`,
        branch: trigger.branch,
        pullRequest: null,
      };
    case 'data': {
      const datasets = [...new Set(trigger.events.map(({ dataset }) => dataset))].join(', ');
      return { text: `started by news of ${datasets}`, branch: null, pullRequest: null };
    }
    default:
      return unreachable(trigger);
  }
}

function newsOf(trigger: FirstTrigger): Pick<RunHead, 'news' | 'newsMore'> {
  if (trigger.kind !== 'data') return { news: [], newsMore: 0 };
  const news = trigger.events.map(({ dataset, digest, at, runId }) => ({ dataset, digest, at, runId }));
  return { news, newsMore: trigger.count - news.length };
}

/** Plain Git does not say who pushed. */
function by(actor: string): string {
  return actor === '' || actor === 'unknown' ? '' : ` by ${actor}`;
}

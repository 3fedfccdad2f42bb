/**
 * What a pod says of the end of its attempt: nothing while it may still go on, or why it can not, with a sentence about
 * what to do. Pure, and a table of cases in its test. An agent says itself how its attempt ended; this is for those that
 * cannot any more, and for containers that have none.
 */
import type { AttemptOutcome } from '../../engine/event.ts';
import { formatDuration } from '../../std/duration.ts';
import { failed, type Failed } from '../desk/placing.ts';
import { nonRetryableExitCode, skipExitCode } from '../local/exit-outcome.ts';
import type { Condition, ContainerView, PodView } from './pod-view.ts';

/** Containers of this name carry out the step; others are beside it. */
export const mainContainer = 'main';

export function mainOf(view: PodView | null): ContainerView | undefined {
  return view?.containers.find(({ name }) => name === mainContainer);
}

export const podPatience = {
  /** From the creation to the first process, unless the configuration says otherwise: image and node included. */
  startMs: 15 * 60_000,
  /** Registries, secrets and claims that are not there may be there in a moment; unless the configuration says otherwise. */
  imageMs: 120_000,
  /** After the moment by which a pod was to be gone. */
  goneMs: 30_000,
  /** At the end of whoever nobody comes after: of pods whose work has ended. */
  lastMs: 15_000,
  /** Of a node that does not answer, beside the time that the cluster itself takes to notice. */
  nodeMs: 60_000,
  /** Of an agent that says nothing on a node that is well, unless the configuration says otherwise. */
  lostMs: 10 * 60_000,
} as const;

/** The agent that carries out the attempt, or helps its container. */
export interface AgentSide {
  /** That it is. */
  readonly container: string;
  /** Where it looks for the server. */
  readonly url: string;
  readonly hasBegun: boolean;
}

/** How long it has been so, of the time in which it could be seen. */
export type Lasted = (since: number) => number;

/** What others have said may end with a full stop, or not. */
export function sentences(said: string, help: string): string {
  return `${said.replace(/[.\s]+$/, '')}. ${help}`;
}

function takenAway({ reason, message }: Condition, where: string): string {
  return sentences(`the cluster took its pod away${where} (${reason}): ${message}`, savedHelp);
}

const savedHelp = 'Save checkpoints, so that the next try goes on where it was.';
const requestHelp = 'Raise what it requests of that to what it takes, so that its node has it.';
const nodeHelp = 'See how its node is (kubectl describe node): the next try may go to another one.';

/** ` on node1`; empty where it has none yet. */
export function whereOf({ node }: PodView): string {
  return node === null ? '' : ` on ${node}`;
}

export const agentHelp =
  'See that `agents` of `executor.kubernetes` leads pods to this server: contender cluster check.';

/** How a pod that is over has failed; null while it is not over, or where all went well. */
export function failureOf(view: PodView, agent: AgentSide | null = null): Failed | null {
  const main = mainOf(view);
  // A sidecar is started again; beside a failed init container a helper would go on.
  const isOver =
    view.phase === 'Failed' || hasFailed(main) || wasWarned(view, main) || view.containers.some(hasFailedInit);
  if (!isOver) return null;
  const { disruption, reason, message } = view;
  const where = whereOf(view);
  if (disruption !== null) return failed('evicted', takenAway(disruption, where));
  if (view.deletion !== null) return goneOutcome(view);
  switch (reason ?? '') {
    case 'Evicted':
      // A node that is short of it says that word of its own disk.
      return /exceed(?:s|ed) /.test(message ?? '')
        ? failed(
            'code',
            sentences(
              `its pod was evicted${where} for what it wrote to the disk: ${message ?? ''}`,
              'Ask for more ephemeral-storage.',
            ),
          )
        : failed(
            'evicted',
            sentences(`its pod was evicted${where}: ${message ?? 'the node ran short of something'}`, requestHelp),
          );
    case 'DeadlineExceeded':
      return failed(
        'timeout',
        `its pod was longer than its deadline${where} (\`timeout\`, \`grace\` and an hour at least). Raise \`timeout\`, or see why its agent was not heard.`,
      );
    case 'NodeLost':
      return failed('lost', `its node${where} was lost. ${nodeHelp}`);
    case 'NodeShutdown':
    case 'Terminated':
    case 'Shutdown':
      return failed('evicted', sentences(`its node${where} was shut down: ${message ?? reason ?? ''}`, savedHelp));
    default:
      // By any of the words that the kubelet has for it: `OutOf` with the name of a resource, `TopologyAffinityError`.
      return reason !== null && view.containers.every(hasNeverBegun)
        ? failed(
            'start',
            sentences(
              `its node${where} did not take its pod (${reason}): ${message ?? ''}`,
              'See what that node has left (kubectl describe node), or keep the step from it by `nodeSelector` or `affinity`.',
            ),
          )
        : failureOfContainers(view, where, agent);
  }
}

/** Its container has ended with this code by itself: one that is warned saves what it has, and may end with any. */
export function hasEndedItself(view: PodView, exitCode: number): boolean {
  const main = mainOf(view);
  return main?.state === 'terminated' && main.exitCode === exitCode && !wasWarned(view, main);
}

/** It has ended, and not before its pod was told to. Times are whole seconds: within that of the warning it may have heard it. */
function wasWarned({ disruption, deletion, reason }: PodView, main: ContainerView | undefined): boolean {
  if (main?.state !== 'terminated') return false;
  const deletedAt = deletion === null ? Infinity : deletion.deadline - deletion.graceMs;
  const warnedAt = Math.min(deletedAt, disruption?.since ?? Infinity);
  // Of a reason alone nobody knows since when it holds.
  if (warnedAt === Infinity) return reason !== null;
  return main.finishedAt === null || main.finishedAt >= warnedAt;
}

/** A container that has ended by itself, and says that there was nothing to do; null for every other. */
export function skipOf(view: PodView): AttemptOutcome | null {
  if (!hasEndedItself(view, skipExitCode)) return null;
  return { kind: 'skipped', reason: `the container ended with code ${skipExitCode}` };
}

function failureOfContainers(view: PodView, where: string, agent: AgentSide | null): Failed | null {
  const broken = brokenOf(view);
  if (broken === undefined)
    return failed('lost', sentences(`its pod ended${where} without a word: ${view.message ?? view.phase}`, nodeHelp));
  const { name, reason, exitCode } = broken;
  const which = name === mainContainer ? 'it' : `its container ${name}`;
  switch (reason ?? '') {
    case 'OOMKilled':
      return failed(
        // What grows from try to try is the memory of the step's own.
        name === mainContainer ? 'out-of-memory' : 'code',
        `${which} took more memory than it may have (OOMKilled). ${memoryHelp(name, agent)}`,
        exitCode,
      );
    case 'StartError':
    case 'ContainerCannotRun':
      return failed(
        'invalid',
        `${which} could not be started (${wordsOf(broken)}). See that the command is in the image.`,
        exitCode,
      );
    case 'ContainerStatusUnknown':
    case 'Unknown':
      return failed('lost', `nobody knows how ${which} ended${where}. ${nodeHelp}`, exitCode);
    default:
      if (name === agent?.container) return endOfAgent(agent, exitCode, where);
      return failed(
        hasEndedItself(view, nonRetryableExitCode) ? 'non-retryable' : 'code',
        exitSentence(which, exitCode),
        exitCode,
      );
  }
}

function memoryHelp(name: string, agent: AgentSide | null): string {
  if (name === mainContainer) return 'Raise "memory", or let it grow with "memoryGrowth".';
  return name === agent?.container
    ? 'Raise `helperResources.limits` of `executor.kubernetes`.'
    : 'Raise its own limit, where `initContainers` or `sidecars` of a `pod` say it: "memory" is that of the step alone.';
}

/** Its step has its own exit code, which it would have told. */
function endOfAgent({ url, hasBegun }: AgentSide, exitCode: number | null, where: string): Failed {
  const how = `${exitSentence('its agent', exitCode)}${where}`;
  if (hasBegun)
    return failed('lost', `${how} without a word to the server at ${url}: it was killed, or gave up. ${agentHelp}`);
  const entry = 'Its image has to have the agent as its entry point.';
  return failed('start', `${how} before the server at ${url} had let it begin. ${agentHelp} ${entry}`);
}

export function exitSentence(which: string, exitCode: number | null): string {
  if (exitCode !== null && exitCode > 128 && exitCode < 160)
    return `${which} was ended by signal ${exitCode - 128} (exit code ${exitCode})`;
  return `${which} ended with exit code ${exitCode ?? 'unknown'}`;
}

/** The one that failed by itself: all others are ended after it, and some of them by force. */
export function brokenOf(view: PodView): ContainerView | undefined {
  const { containers } = view;
  const main = mainOf(view);
  return hasFailed(main)
    ? main
    : (containers.find(hasFailedInit) ?? containers.find((one) => hasFailed(one) || one.reason === 'CrashLoopBackOff'));
}

/** The container beside the step's that failed by itself, and took the pod with it; null where there is none. */
export function brokenBeside(view: PodView | undefined): string | null {
  if (view === undefined || view.disruption !== null || view.deletion !== null || view.reason !== null) return null;
  const broken = brokenOf(view);
  return broken === undefined || broken.name === mainContainer ? null : broken.name;
}

function hasFailed(container: ContainerView | undefined): boolean {
  return container?.state === 'terminated' && container.exitCode !== 0;
}

function hasNeverBegun({ state, exitCode }: ContainerView): boolean {
  return state === 'waiting' && exitCode === null;
}

/** Its pod begins no other container, and ends. */
export function hasFailedInit(container: ContainerView): boolean {
  return container.isInit && hasFailed(container);
}

export function wordsOf({ reason, message }: ContainerView): string {
  return message === null ? (reason ?? '') : `${reason ?? ''}: ${message}`;
}

/** Why a pod that cannot be seen to end is given up; null while there is hope. `heardAt`: since when its agent has said nothing. */
export function lossOf(view: PodView, lasted: Lasted, heardAt: number): Failed | null {
  const { deletion, notReadySince, disruption } = view;
  const where = whereOf(view);
  // The node may hear of it late.
  if (deletion !== null && lasted(deletion.deadline - deletion.graceMs) > deletion.graceMs + podPatience.goneMs) {
    const why = disruption === null ? 'somebody deleted it' : `${disruption.reason}: ${disruption.message}`;
    return failed('lost', `its pod was to be gone and its node${where} does not answer (${why}). ${nodeHelp}`);
  }
  if (notReadySince === null) return null;
  const silentMs = lasted(notReadySince);
  if (Math.min(silentMs, lasted(heardAt)) < podPatience.nodeMs) return null;
  return failed('lost', `its node${where} has not answered for ${Math.round(silentMs / 1000)} s. ${nodeHelp}`);
}

/** That says nothing, though its pod runs. */
export function hungAgent(view: PodView | null, lostMs: number): Failed {
  const where = view === null ? '' : whereOf(view);
  const what = `nothing was heard of its agent for ${formatDuration(lostMs)}, though its pod runs${where}: it hangs`;
  const help =
    'See whether the step stops its agent, or leaves it no processor or memory: raise what its pod requests, or `lostAfter` of `executor.kubernetes`.';
  return failed('lost', `${what}. ${help}`);
}

/** A pod that is not there any more, or was told to end, and not by us. `isReplaced`: another one has its name. */
export function goneOutcome(last: PodView | null, isReplaced = false): Failed {
  const disruption = last?.disruption ?? null;
  if (disruption !== null) return failed('evicted', takenAway(disruption, last === null ? '' : whereOf(last)));
  const why = isReplaced
    ? 'somebody deleted it and made another of that name'
    : 'somebody deleted it, or its node was removed';
  const help = 'See who deletes pods there: an attempt is ended by `contender cancel`.';
  return failed('lost', `its pod is gone: ${why}. ${help}`);
}

/** An agent says how it ended before it ends. */
export function endedWithoutWord(begun: boolean): Failed {
  if (begun) return failed('lost', `its agent ended without a word. ${agentHelp}`);
  return failed(
    'invalid',
    'its image ended at once: it has no agent as its entry point. Build it on the image of the runner.',
  );
}

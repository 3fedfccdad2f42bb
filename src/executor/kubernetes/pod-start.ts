/**
 * What a pod says of the start of its attempt: nothing while it may still begin, or why it cannot, with a sentence about what to
 * do. Pure, as what it says of the end.
 */
import { failed, type Failed } from '../desk/placing.ts';
import {
  agentHelp,
  brokenOf,
  exitSentence,
  mainContainer,
  sentences,
  whereOf,
  wordsOf,
  type AgentSide,
} from './pod-end.ts';
import type { Condition, ContainerView, PodView } from './pod-view.ts';

/** For a pod that has not begun; and for what it lacks, if that is shorter. */
export type StartPatience = Readonly<Record<'startMs' | 'imageMs', number>>;

/** How long a pod has been on its way, and a part of it (of `lackingIn`) without what it lacks. */
export interface StartWait {
  readonly waitedMs: number;
  readonly lackedMs: (part: string) => number;
}

/** Why a pod that has not begun in that time cannot begin, or not any more; null while it may. `agent` null: it has none. */
export function failureToStart(
  view: PodView,
  { waitedMs, lackedMs }: StartWait,
  { startMs, imageMs }: StartPatience,
  agent: AgentSide | null = null,
): Failed | null {
  const isLate = (part: string): boolean => lackedMs(part) >= Math.min(imageMs, startMs);
  const where = whereOf(view);
  const trouble = firstTroubleOf(view, isLate);
  if (trouble !== null) return trouble;
  const { unschedulable } = view;
  if (lacksClaim(view) && isLate(claims)) {
    const help = 'Make it in the namespace of the pod, or correct its `claimName`.';
    return failed('invalid', `the claim of a volume is not there (${unschedulable?.message}). ${help}`);
  }
  if (waitedMs < startMs) return null;
  const waited = `in ${Math.round(waitedMs / 1000)} s`;
  if (isUnbound(unschedulable)) {
    const help =
      'See what its events say (kubectl describe pvc): it needs a volume that fits it, or a StorageClass that makes one.';
    return failed('start', `the claim of a volume was not bound ${waited} (${unschedulable?.message}). ${help}`);
  }
  if (unschedulable !== null) {
    const help = 'Ask for less, or give the cluster a node that fits its resources, node selector and tolerations.';
    return failed(
      'start',
      sentences(`no node had room for its pod ${waited} (Unschedulable): ${unschedulable.message}`, help),
    );
  }
  if (agent !== null && isUnheard(view, agent))
    return failed('start', `its agent${where} has not reached the server at ${agent.url} ${waited}. ${agentHelp}`);
  if (agent !== null && isBringing(view, agent))
    return failed('start', `its helper${where} fell silent before the inputs were there. ${agentHelp}`);
  const help = 'See its events, which stand in this log, or raise `startTimeout` where it only takes long.';
  return failed('start', sentences(`its pod did not start${where} ${waited}: ${whyWaiting(view)}`, help));
}

/** The part of a pod that its claims are: no container has that name. */
const claims = '';
const passing: readonly (string | null)[] = [
  'ErrImagePull',
  'ImagePullBackOff',
  'RegistryUnavailable',
  'ImageInspectError',
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
];

/** The parts of a pod that lack what may be there in a moment: containers by their names, and the claims of its volumes. */
export function lackingIn(view: PodView): readonly string[] {
  const waiting = view.containers.filter(({ state, reason }) => state === 'waiting' && passing.includes(reason));
  return [...waiting.map(({ name }) => name), ...(lacksClaim(view) ? [claims] : [])];
}

function lacksClaim({ unschedulable }: PodView): boolean {
  return /persistentvolumeclaim "[^"]*" not found/.test(unschedulable?.message ?? '');
}

/** Its helper has begun, and the cluster waits for it with the container. */
export function isBringing({ containers }: PodView, { container, hasBegun }: AgentSide): boolean {
  const own = containers.find(({ name }) => name === container);
  return hasBegun && container !== mainContainer && own?.state === 'running' && !own.isStarted;
}

/** It is there, and no volume for it: nodes have nothing to do with that. */
function isUnbound(unschedulable: Condition | null): boolean {
  return /unbound immediate PersistentVolumeClaims|available persistent volumes to bind/.test(
    unschedulable?.message ?? '',
  );
}

/** A container that fails again and again, above all: the others wait for it, and do not know why. */
function whyWaiting(view: PodView): string {
  const broken = brokenOf(view);
  if (broken !== undefined)
    return `${exitSentence(`its container ${broken.name}`, broken.exitCode)} (${wordsOf(broken)})`;
  const waiting = view.containers.find(({ state, reason }) => state === 'waiting' && reason !== null);
  return waiting === undefined ? `it is ${view.phase}` : wordsOf(waiting);
}

/** `isLate`: what it lacks, and may be there in a moment, would be there by now. */
function firstTroubleOf(view: PodView, isLate: (part: string) => boolean): Failed | null {
  for (const container of view.containers) {
    const { name, state } = container;
    const trouble = state === 'waiting' ? troubleOf(container, isLate(name), view) : null;
    if (trouble !== null) return trouble;
  }
  return null;
}

/** It runs, or has done so, and the server has heard nothing of it. */
function isUnheard({ containers }: PodView, { container, hasBegun }: AgentSide): boolean {
  const own = containers.find(({ name }) => name === container);
  return !hasBegun && (own?.state === 'running' || own?.reason === 'CrashLoopBackOff');
}

/** `ImagePullBackOff` and its kind. */
function troubleOf(container: ContainerView, isLate: boolean, view: PodView): Failed | null {
  const where = whereOf(view);
  const how = `${where} (${wordsOf(container)})`;
  switch (container.reason ?? '') {
    case 'InvalidImageName':
      return failed(
        'invalid',
        `its node${where} refuses the name of its image (${wordsOf(container)}). Correct it in the definition.`,
      );
    case 'ErrImageNeverPull': {
      const help = 'Bring it to the node, or take another imagePullPolicy.';
      return failed(
        'invalid',
        `its image is not on the node${view.node === null ? '' : ` ${view.node}`}, and is never pulled (${wordsOf(container)}). ${help}`,
      );
    }
    case 'ErrImagePull':
    case 'ImagePullBackOff':
    case 'RegistryUnavailable':
    case 'ImageInspectError': {
      if (!isLate) return null;
      const help = 'See that the image is there under this name, and that imagePullSecrets may pull it.';
      return failed('start', `its image could not be pulled${how}. ${help}`);
    }
    case 'CreateContainerConfigError': {
      if (/runAsNonRoot|non-root/.test(container.message ?? '')) {
        const help = 'Give the image a numeric USER, or the step a securityContext with runAsUser.';
        return failed('invalid', `its image would run as root, which is not allowed${how}. ${help}`);
      }
      if (!isLate) return null;
      const help = 'Make the secret or config map that it names, in the namespace of the pod.';
      return failed('invalid', `its container could not be configured${how}. ${help}`);
    }
    case 'CreateContainerError':
    case 'RunContainerError':
      if (!isLate) return null;
      return failed(
        'start',
        `its container could not be made${how}. See the events, which stand in this log: a volume, a device or the runtime of its node.`,
      );
    default:
      return null;
  }
}

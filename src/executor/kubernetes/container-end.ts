/** What is seen of a container that has a helper beside it; pure. */
import type { Usage } from '../../engine/event.ts';
import { mainOf, type Lasted } from './pod-end.ts';
import { helperContainer } from './pod.ts';
import type { PodView } from './pod-view.ts';

/** After the end of its container: for what it has left. */
const helperPatienceMs = 600_000;

/** It may still bring what the container has left for the next try, after an end that was not good. */
export function isHelperBringing(view: PodView, lasted: Lasted): boolean {
  const main = mainOf(view);
  const helper = view.containers.find(({ name }) => name === helperContainer);
  if (main?.state !== 'terminated') return false;
  return helper?.state === 'running' && lasted(main.finishedAt ?? 0) < helperPatienceMs;
}

export function hasOutlasted(view: PodView, timeoutMs: number, now: number): boolean {
  const main = mainOf(view);
  return main?.state === 'running' && main.startedAt !== null && now > main.startedAt + timeoutMs;
}

/** Null: it has not ended, or never began. */
export function usageOf(view: PodView | null, memoryBytesMax: number | null): Usage | null {
  const main = mainOf(view);
  if (main?.startedAt == null || main.finishedAt === null) return null;
  return { wallMs: main.finishedAt - main.startedAt, cpuMs: null, memoryBytesMax };
}

/** Since when a pod is waited for: how late it may be to lack something, and for how long its inputs may come. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1Pod } from '@kubernetes/client-node';
import { failureToStart } from '../../../src/executor/kubernetes/pod-start.ts';
import { viewOf, type PodView } from '../../../src/executor/kubernetes/pod-view.ts';
import { helperContainer } from '../../../src/executor/kubernetes/pod.ts';
import { StartWaits } from '../../../src/executor/kubernetes/start-waits.ts';

const minute = 60_000;
const created = Date.parse('2026-01-05T02:00:00Z');
const patience = { startMs: 15 * minute, imageMs: 2 * minute };

type State = 'pending' | 'brings' | 'ready' | { readonly reason: string };

/** Of a container with its helper: as the cluster says it. */
function seen(state: State): PodView {
  const waits = (reason: string): object => ({ name: 'main', state: { waiting: { reason } } });
  const helper = (started: boolean): object => ({ name: helperContainer, state: { running: {} }, started });
  const statuses =
    state === 'pending'
      ? {}
      : {
          initContainerStatuses: [helper(state !== 'brings')],
          containerStatuses: [waits(typeof state === 'string' ? 'PodInitializing' : state.reason)],
        };
  const pod = {
    metadata: { name: 'c-1', namespace: 'ml', uid: 'u-1', creationTimestamp: new Date(created).toISOString() },
    spec: { nodeName: 'node1', initContainers: [{ name: helperContainer, restartPolicy: 'Always' }], containers: [] },
    status: { phase: 'Pending', ...statuses },
  } as unknown as V1Pod;
  return viewOf(pod) ?? assert.fail();
}

/** Minutes after the wish, what is seen then, and how long ago its helper spoke; it has begun where it brings or has brought. */
type Sight = readonly [at: number, state: State, silent?: number];

/** What is said at the last of them. */
function told(sights: readonly Sight[], askedAt: number | null = created): string | null {
  const waits = new StartWaits();
  if (askedAt !== null) waits.asked(askedAt);
  let said: string | null = null;
  for (const [at, state, silent = 0] of sights) {
    const now = created + at * minute;
    const agent = { container: helperContainer, url: 'http://contender', hasBegun: state !== 'pending' };
    waits.see(seen(state), now, agent, silent < 10);
    const wait = waits.lasted((since) => now - since);
    const failure = failureToStart(seen(state), wait, patience, agent);
    said = failure === null ? null : `${failure.cause}: ${failure.message}`;
  }
  return said;
}

const secret = { reason: 'CreateContainerConfigError' };
const rows: readonly (readonly [what: string, sights: readonly Sight[], says: RegExp | null])[] = [
  [
    'scheduled after 5 min, with a first word of trouble',
    [
      [1, 'pending'],
      [5, secret],
    ],
    null,
  ],
  [
    'scheduled after 5 min, and trouble for a while',
    [
      [5, secret],
      [6.9, secret],
    ],
    null,
  ],
  [
    'scheduled after 5 min, and trouble for too long',
    [
      [5, secret],
      [7, secret],
    ],
    /^invalid: its container could not be configured on node1/,
  ],
  [
    'helper took 5 min, with a first word of trouble',
    [
      [0, 'brings'],
      [5, { reason: 'ErrImagePull' }],
    ],
    null,
  ],
  [
    'helper took 5 min, and an image that does not come, by both words for it',
    [
      [0, 'brings'],
      [5, { reason: 'ErrImagePull' }],
      [6, { reason: 'ImagePullBackOff' }],
      [7, { reason: 'ErrImagePull' }],
    ],
    /^start: its image could not be pulled on node1/,
  ],
  [
    'trouble that went, and came again',
    [
      [5, secret],
      [6, 'ready'],
      [7, secret],
    ],
    null,
  ],
  [
    'trouble that begins before its time to start is over',
    [
      [0, 'ready'],
      [14, secret],
      [15, secret],
    ],
    /^start: its pod did not start on node1 in 900 s: CreateContainerConfigError/,
  ],
  ['no node in its time', [[15, 'pending']], /^start: its pod did not start on node1 in 900 s/],
  [
    'inputs that take their time',
    [
      [1, 'brings'],
      [16, 'brings'],
      [300, 'brings'],
    ],
    null,
  ],
  [
    'a container that takes its time after them',
    [
      [300, 'brings'],
      [314, 'ready'],
    ],
    null,
  ],
  [
    'a container that does not start after them',
    [
      [300, 'brings'],
      [315, 'ready'],
    ],
    /^start: its pod did not start on node1 in 900 s/,
  ],
  [
    'a helper that fell silent',
    [
      [1, 'brings'],
      [20, 'brings', 10],
    ],
    /^start: its helper on node1 fell silent before the inputs were there/,
  ],
];
for (const [what, sights, says] of rows)
  test(`${what}: ${says === null ? 'is waited for' : 'is told'}`, () => {
    const said = told(sights);
    if (says === null) assert.equal(said, null);
    else assert.match(said ?? '', says);
  });

test('its time to start begins with the wish for it; of what an earlier server wished for, with what is known', () => {
  assert.match(told([[10, 'pending']], created - 5 * minute) ?? '', /in 900 s/);
  assert.match(told([[15, 'pending']], null) ?? '', /in 900 s/);
  assert.equal(told([[60, 'ready']], null), null);
});

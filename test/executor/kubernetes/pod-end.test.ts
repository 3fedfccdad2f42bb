/** What is read from pods: each case is a status as a kubelet, scheduler or controller writes it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { V1ContainerStatus, V1Pod, V1PodStatus } from '@kubernetes/client-node';
import type { Failed } from '../../../src/executor/desk/placing.ts';
import {
  endedWithoutWord,
  failureOf,
  goneOutcome,
  hasEndedItself,
  lossOf,
  skipOf,
  type AgentSide,
} from '../../../src/executor/kubernetes/pod-end.ts';
import { failureToStart, type StartWait } from '../../../src/executor/kubernetes/pod-start.ts';
import { viewOf, type PodView } from '../../../src/executor/kubernetes/pod-view.ts';

const created = Date.parse('2026-01-05T02:00:00Z');
const [minute, hour] = [60_000, 3_600_000];
const patience = { startMs: 15 * minute, imageMs: 2 * minute };

/** In which it has lacked what it lacks all along. */
const wait = (waitedMs: number): StartWait => ({ waitedMs, lackedMs: () => waitedMs });

/** Each says what to do, but for exit codes, about which the log of the step does. */
function assertHelps(failure: Failed | null, what: string): void {
  const { message = '', cause } = failure ?? {};
  if (
    failure === null ||
    (/^(?:code|non-retryable)$/.test(cause ?? '') && /ended (?:with exit code|by signal)/.test(message))
  )
    return;
  assert.match(message, /[.)] (?:Ask|Bring|Build|Correct|Give|Make|Raise|Save|See) [^.]+/, what);
}

function view(status: object, metadata: object = {}): PodView {
  // As the API writes it: its times are text.
  const pod = {
    metadata: { name: 'c-1', namespace: 'ml', uid: 'u-1', creationTimestamp: '2026-01-05T02:00:00Z', ...metadata },
    spec: {
      nodeName: 'node1',
      initContainers: ['contender', 'proxy'].map((name) => ({ name, restartPolicy: 'Always' })),
      containers: [],
    },
    status: status as V1PodStatus,
  } as unknown as V1Pod;
  const found = viewOf(pod);
  assert.ok(found);
  return found;
}

const container = (state: object, name = 'main'): V1ContainerStatus => ({
  name,
  state,
  image: '',
  imageID: '',
  ready: false,
  restartCount: 0,
});
const waiting = (reason: string, message?: string): object => ({
  phase: 'Pending',
  containerStatuses: [container({ waiting: { reason, ...(message === undefined ? {} : { message }) } })],
});
const terminated = (exitCode: number, reason: string, more: object = {}): object => ({
  phase: 'Failed',
  containerStatuses: [container({ terminated: { exitCode, reason } })],
  ...more,
});
/** Before its container begins: what is before and beside that. */
const initializing = (...before: readonly V1ContainerStatus[]): object => ({
  phase: 'Pending',
  initContainerStatuses: before,
  containerStatuses: [container({ waiting: { reason: 'PodInitializing' } })],
});
const beside = (name: string, end: object, status: object): object => ({
  ...status,
  initContainerStatuses: [container({ terminated: end }, name)],
});
const condition = (
  type: string,
  status: string,
  reason: string,
  message: string,
  at = '2026-01-05T02:00:00Z',
): { readonly conditions: readonly object[] } => ({
  conditions: [{ type, status, reason, message, lastTransitionTime: at }],
});

test('what keeps a pod from starting is a failure at once, after a while, or when its time to start is over', () => {
  const unschedulable = {
    phase: 'Pending',
    ...condition('PodScheduled', 'False', 'Unschedulable', '0/1 nodes are available: 1 Insufficient cpu.'),
  };
  const noClaim = {
    phase: 'Pending',
    ...condition('PodScheduled', 'False', 'Unschedulable', 'persistentvolumeclaim "nope" not found. not preempting'),
  };
  const cases: readonly [string, object, number, string | null, RegExp | null][] = [
    ['being made', waiting('ContainerCreating'), minute, null, null],
    [
      'a wrong name of an image',
      waiting('InvalidImageName', "couldn't parse image name"),
      0,
      'invalid',
      /^its node on node1 .*Correct it/,
    ],
    ['an image that is never pulled', waiting('ErrImageNeverPull'), 0, 'invalid', /imagePullPolicy/],
    ['a registry that is away for a moment', waiting('ErrImagePull'), minute, null, null],
    [
      'an image that does not come',
      waiting('ImagePullBackOff', 'Back-off pulling image "x"'),
      3 * minute,
      'start',
      /^its image could not be pulled on node1 \(.*imagePullSecrets/,
    ],
    ['a secret that may come yet', waiting('CreateContainerConfigError'), minute, null, null],
    [
      'a secret that is not there',
      waiting('CreateContainerConfigError', 'secret "s" not found'),
      3 * minute,
      'invalid',
      /secret "s" not found/,
    ],
    [
      'an image of root',
      waiting('CreateContainerConfigError', 'container has runAsNonRoot and image will run as root'),
      0,
      'invalid',
      /runAsUser/,
    ],
    [
      'a container that cannot be made',
      waiting('CreateContainerError', 'no such device'),
      3 * minute,
      'start',
      /^its container could not be made on node1 \(CreateContainerError: no such device\)/,
    ],
    ['no room yet', unschedulable, 14 * minute, null, null],
    ['no room', unschedulable, 15 * minute, 'start', /Insufficient cpu/],
    [
      'a start that takes too long',
      waiting('ContainerCreating'),
      hour,
      'start',
      /^its pod did not start on node1 in .*ContainerCreating/,
    ],
    ['a claim that may come yet', noClaim, minute, null, null],
    [
      'a claim that is not there',
      noClaim,
      3 * minute,
      'invalid',
      /^the claim of a volume is not there \(.*"nope" not found.*\)\. Make it in the namespace of the pod/,
    ],
    [
      'a claim that is not bound',
      {
        phase: 'Pending',
        ...condition(
          'PodScheduled',
          'False',
          'Unschedulable',
          '0/3 nodes are available: pod has unbound immediate PersistentVolumeClaims. not found',
        ),
      },
      15 * minute,
      'start',
      /^the claim of a volume was not bound in 900 s \(.*unbound immediate .*\)\. See what its events say/,
    ],
    [
      'a claim that finds no volume',
      {
        phase: 'Pending',
        ...condition(
          'PodScheduled',
          'False',
          'Unschedulable',
          "0/3 nodes are available: 3 node(s) didn't find available persistent volumes to bind.",
        ),
      },
      15 * minute,
      'start',
      /^the claim of a volume was not bound/,
    ],
    [
      'a claim that a node might bring',
      {
        phase: 'Pending',
        ...condition('PodScheduled', 'False', 'Unschedulable', '1 node(s) had volume node affinity conflict'),
      },
      3 * minute,
      null,
      null,
    ],
    [
      'a sidecar that fails again and again',
      initializing(
        Object.assign(
          container({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 10s restarting' } }, 'proxy'),
          { lastState: { terminated: { exitCode: 4, reason: 'Error' } } },
        ),
      ),
      hour,
      'start',
      /in 3600 s: its container proxy ended with exit code 4 \(CrashLoopBackOff: back-off 10s restarting\)\. See its events/,
    ],
    [
      'a sidecar that has just failed again',
      initializing(container({ terminated: { exitCode: 4, reason: 'Error' } }, 'proxy')),
      hour,
      'start',
      /its container proxy ended with exit code 4 \(Error\)\. See its events/,
    ],
    [
      'a sidecar without an image, while the others wait for it',
      initializing(container({ waiting: { reason: 'ErrImageNeverPull' } }, 'proxy')),
      0,
      'invalid',
      /its image is not on the node node1, and is never pulled \(ErrImageNeverPull\)\. Bring it/,
    ],
    [
      'an init container that takes too long',
      initializing(container({ running: {} }, 'fetch')),
      hour,
      'start',
      /PodInitializing/,
    ],
  ];
  for (const [name, status, waitedMs, cause, says] of cases) {
    const failure = failureToStart(view(status), wait(waitedMs), patience);
    assert.equal(failure?.cause ?? null, cause, name);
    if (says !== null) assert.match(failure?.message ?? '', says, name);
    assertHelps(failure, name);
  }
});

test('what is missing is told as that when its own time is over, or the time to start, whichever is shorter', () => {
  const secret = waiting('CreateContainerConfigError', 'secret "s" not found');
  const times = { 'of a start in a minute': { ...patience, startMs: minute }, own: { ...patience, imageMs: minute } };
  for (const [name, shorter] of Object.entries(times)) {
    const seen = (status: object, waitedMs: number): string | undefined => {
      const failure = failureToStart(view(status), wait(waitedMs), shorter);
      return failure === null ? undefined : `${failure.cause}: ${failure.message}`;
    };
    assert.equal(seen(secret, minute - 1), undefined, name);
    assert.match(seen(secret, minute) ?? '', /^invalid: its container could not be configured .*"s" not found/, name);
    assert.match(seen(waiting('ErrImagePull'), minute) ?? '', /^start: its image could not be pulled/, name);
  }
});

test('a pod that is over says why, and whose retries that takes', () => {
  const evicted = (message: string): object => ({ phase: 'Failed', reason: 'Evicted', message });
  const disrupted = (reason: string): object =>
    terminated(137, 'Error', condition('DisruptionTarget', 'True', reason, 'by the cluster'));
  const cases: readonly (readonly [string, object, string | null, RegExp | null])[] = [
    ['running', { phase: 'Running', containerStatuses: [container({ running: {} })] }, null, null],
    [
      'succeeded',
      { phase: 'Succeeded', containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed' } })] },
      null,
      null,
    ],
    ['out of memory', terminated(137, 'OOMKilled'), 'out-of-memory', /memoryGrowth/],
    [
      'an init container out of memory',
      {
        phase: 'Failed',
        initContainerStatuses: [container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'fetch')],
      },
      'code',
      /^its container fetch took more memory .*`initContainers`/,
    ],
    [
      'a sidecar out of memory',
      {
        phase: 'Failed',
        initContainerStatuses: [container({ terminated: { exitCode: 137, reason: 'OOMKilled' } }, 'proxy')],
      },
      'code',
      /^its container proxy took more memory .*`sidecars`/,
    ],
    ['an exit code', terminated(3, 'Error'), 'code', /exit code 3/],
    ['a code that asks for no other try', terminated(98, 'Error'), 'non-retryable', /exit code 98/],
    ['a signal', terminated(139, 'Error'), 'code', /signal 11/],
    ['a command that is not there', terminated(128, 'StartError'), 'invalid', /command is in the image/],
    ['nobody knows', terminated(137, 'ContainerStatusUnknown'), 'lost', /nobody knows/],
    ['a node that was booted anew', terminated(255, 'Unknown'), 'lost', /nobody knows how it ended on node1/],
    [
      'out of memory, and a sidecar that was ended after it',
      beside('proxy', { exitCode: 143, reason: 'Error' }, terminated(137, 'OOMKilled')),
      'out-of-memory',
      /^it took more memory/,
    ],
    [
      'an exit code, and a helper that was killed after it',
      beside('contender', { exitCode: 137, reason: 'Error' }, terminated(3, 'Error')),
      'code',
      /^it ended with exit code 3/,
    ],
    [
      'an exit code, and a helper that failed after it',
      beside('contender', { exitCode: 1, reason: 'Error' }, terminated(4, 'Error')),
      'code',
      /^it ended with exit code 4/,
    ],
    ['evicted by its node', evicted('The node was low on resource: memory.'), 'evicted', /low on resource/],
    [
      'evicted from a disk that others have filled',
      evicted(
        'The node was low on resource: ephemeral-storage. Threshold quantity: 10Gi, available: 9Gi. Container main was using 5Gi, request is 0, has larger consumption of ephemeral-storage. ',
      ),
      'evicted',
      /low on resource: ephemeral-storage/,
    ],
    [
      'refused by a node whose disk is full',
      evicted('Pod was rejected: The node had condition: [DiskPressure]. '),
      'evicted',
      /DiskPressure/,
    ],
    [
      'evicted for what it wrote to a volume',
      evicted('Usage of EmptyDir volume "spill" exceeds the limit "1Gi". '),
      'code',
      /ephemeral-storage/,
    ],
    [
      'evicted for its own disk',
      evicted('Pod ephemeral local storage usage exceeds the total limit of containers 1Gi.'),
      'code',
      /ephemeral-storage/,
    ],
    ['preempted', disrupted('PreemptionByScheduler'), 'evicted', /PreemptionByScheduler/],
    ['drained', disrupted('EvictionByEvictionAPI'), 'evicted', /EvictionByEvictionAPI/],
    ['a taint', disrupted('DeletionByTaintManager'), 'evicted', /DeletionByTaintManager/],
    ['a node that is lost', { phase: 'Failed', reason: 'NodeLost' }, 'lost', /^its node on node1 was lost/],
    ['a deadline', { phase: 'Failed', reason: 'DeadlineExceeded' }, 'timeout', /deadline/],
    [
      'a node that is shut down',
      { phase: 'Failed', reason: 'Terminated', message: 'Pod was terminated in response to imminent node shutdown.' },
      'evicted',
      /shutdown/,
    ],
    ...[
      'OutOfcpu',
      'OutOfnvidia.com/gpu',
      'OutOfephemeral-storage',
      'UnexpectedAdmissionError',
      'TopologyAffinityError',
      'VolumeAttachmentLimitExceeded',
    ].map((reason) => {
      const says = new RegExp(`^its node on node1 did not take its pod \\(${reason}\\): Pod was rejected`);
      return [`refused: ${reason}`, { phase: 'Failed', reason, message: 'Pod was rejected' }, 'start', says] as const;
    }),
    [
      'a node that did not take it, where its containers wait',
      { ...waiting('ContainerCreating'), phase: 'Failed', reason: 'VolumeAttachmentLimitExceeded' },
      'start',
      /VolumeAttachmentLimitExceeded/,
    ],
    ['a word of the cluster for what had begun', terminated(3, 'Error', { reason: 'Other' }), 'code', /exit code 3/],
    ['no word at all', { phase: 'Failed' }, 'lost', /without a word/],
    [
      'an init container',
      {
        phase: 'Failed',
        initContainerStatuses: [container({ terminated: { exitCode: 2, reason: 'Error' } }, 'fetch')],
      },
      'code',
      /container fetch ended with exit code 2/,
    ],
    [
      'an init container, though the helper runs on',
      initializing(
        container({ running: {} }, 'contender'),
        container({ terminated: { exitCode: 2, reason: 'Error' } }, 'fetch'),
      ),
      'code',
      /container fetch ended with exit code 2/,
    ],
    [
      'an init container, and a helper that was ended after it',
      {
        ...initializing(
          container({ terminated: { exitCode: 1, reason: 'Error' } }, 'contender'),
          container({ terminated: { exitCode: 2, reason: 'Error' } }, 'fetch'),
        ),
        phase: 'Failed',
      },
      'code',
      /container fetch ended with exit code 2/,
    ],
    [
      'a sidecar that is started again',
      initializing(container({ terminated: { exitCode: 2, reason: 'Error' } }, 'proxy')),
      null,
      null,
    ],
  ];
  for (const [name, status, cause, says] of cases) {
    const failure = failureOf(view(status));
    assert.equal(failure?.cause ?? null, cause, name);
    if (says !== null) assert.match(failure?.message ?? '', says, name);
    assertHelps(failure, name);
  }
});

test('a container that ends with code 99 by itself had nothing to do; one that was ended has failed', () => {
  const skipped = { kind: 'skipped', reason: 'the container ended with code 99' };
  assert.deepEqual(skipOf(view(terminated(99, 'Error'))), skipped);
  assert.equal(skipOf(view(terminated(98, 'Error'))), null);
  const drained = condition('DisruptionTarget', 'True', 'EvictionByEvictionAPI', 'drained');
  assert.equal(skipOf(view(terminated(99, 'Error', drained))), null);
  assert.equal(skipOf(view(terminated(99, 'Error'), { deletionTimestamp: '2026-01-05T02:10:00Z' })), null);
});

test('a container that ended with code 0 after its pod was told to end has not succeeded', () => {
  const ended = (finishedAt: string, phase: string, more: object = {}): object => ({
    phase,
    containerStatuses: [container({ terminated: { exitCode: 0, reason: 'Completed', finishedAt } })],
    ...more,
  });
  const at = (second: number): string => `2026-01-05T02:10:${second}Z`;
  const drained = condition('DisruptionTarget', 'True', 'EvictionByEvictionAPI', 'drained', at(20));
  const preempted = condition('DisruptionTarget', 'True', 'PreemptionByScheduler', 'for another', at(20));
  const shutDown = condition('DisruptionTarget', 'True', 'TerminationByKubelet', 'node shutdown', at(20));
  const deleted = { deletionTimestamp: at(50), deletionGracePeriodSeconds: 30 };
  const cases: readonly [string, PodView, boolean, string | null][] = [
    ['by itself', view(ended(at(20), 'Running')), true, null],
    ['drained', view(ended(at(21), 'Running', drained), deleted), false, 'evicted'],
    ['drained, and all over', view(ended(at(21), 'Succeeded', drained), deleted), false, 'evicted'],
    ['preempted in the same second', view(ended(at(20), 'Running', preempted), deleted), false, 'evicted'],
    ['before it was drained', view(ended(at(19), 'Running', drained), deleted), true, null],
    ['deleted', view(ended(at(21), 'Running'), deleted), false, 'lost'],
    ['before it was deleted', view(ended(at(19), 'Running'), deleted), true, null],
    ['its node is shut down', view(ended(at(21), 'Failed', { reason: 'Terminated', ...shutDown })), false, 'evicted'],
    ['its node is shut down, untold when', view(ended(at(21), 'Failed', { reason: 'Terminated' })), false, 'evicted'],
    [
      'removed after the shutdown',
      view(ended(at(21), 'Failed', shutDown), { deletionTimestamp: at(59) }),
      false,
      'evicted',
    ],
  ];
  for (const [name, seen, isItself, cause] of cases) {
    assert.equal(hasEndedItself(seen, 0), isItself, name);
    assert.equal(failureOf(seen)?.cause ?? null, cause, name);
  }
});

test('an agent that ends without a word is no failure of the code that it carries out', () => {
  const url = 'http://contender.ml:8081';
  const agent = (hasBegun: boolean): AgentSide => ({ container: 'main', url, hasBegun });
  const cases: readonly [string, object, boolean, string, RegExp][] = [
    [
      'another server',
      terminated(3, 'Error'),
      false,
      'start',
      /exit code 3 on node1 before .*contender\.ml:8081.*check/,
    ],
    ['patience that is over', terminated(3, 'Error'), true, 'lost', /contender\.ml:8081.*contender cluster check/],
    ['no address', terminated(2, 'Error'), false, 'start', /exit code 2/],
    ['killed', terminated(137, 'Error'), true, 'lost', /signal 9/],
    ['out of memory', terminated(137, 'OOMKilled'), true, 'out-of-memory', /memoryGrowth/],
    ['no such program', terminated(128, 'StartError'), false, 'invalid', /command is in the image/],
    [
      'what runs before it',
      {
        phase: 'Failed',
        initContainerStatuses: [container({ terminated: { exitCode: 2, reason: 'Error' } }, 'fetch')],
      },
      false,
      'code',
      /container fetch ended/,
    ],
  ];
  for (const [name, status, hasBegun, cause, says] of cases) {
    const failure = failureOf(view(status), agent(hasBegun));
    assert.equal(failure?.cause, cause, name);
    assert.match(failure.message, says, name);
    assertHelps(failure, name);
  }
});

test('a helper that took too much memory is told with what to raise', () => {
  const end = { exitCode: 137, reason: 'OOMKilled' };
  const failure = failureOf(
    view({ phase: 'Failed', initContainerStatuses: [container({ terminated: end }, 'contender')] }),
    { container: 'contender', url: 'http://contender.ml:8081', hasBegun: true },
  );
  assert.equal(failure?.cause, 'code');
  assert.match(failure.message, /its container contender took more memory .*`helperResources\.limits`/);
});

test('an agent that the server does not hear of is told with the address where it looks for it', () => {
  const url = 'http://contender.ml:8081';
  const says =
    /^its agent on node1 has not reached the server at http:\/\/contender\.ml:8081 in 900 s\. .*contender cluster check/;
  const step = { phase: 'Running', containerStatuses: [container({ running: {} })] };
  const helped = (state: object): object => ({
    phase: 'Pending',
    containerStatuses: [container({ waiting: { reason: 'PodInitializing' } })],
    initContainerStatuses: [container(state, 'contender')],
  });
  const cases: readonly [string, object][] = [
    ['main', step],
    ['contender', helped({ running: {} })],
    ['contender', helped({ waiting: { reason: 'CrashLoopBackOff', message: 'back-off 5m0s' } })],
  ];
  for (const [of, status] of cases) {
    const told = (hasBegun: boolean): string =>
      failureToStart(view(status), wait(15 * minute), patience, { container: of, url, hasBegun })?.message ?? '';
    assert.match(told(false), says);
    assert.doesNotMatch(told(true), says);
  }
});

test('a pod is given up when it should long be gone, or when neither its node nor its agent answers', () => {
  const deleted = { deletionTimestamp: '2026-01-05T02:10:00Z' };
  const notReady = { phase: 'Running', ...condition('Ready', 'False', '', '', '2026-01-05T02:10:00Z') };
  const ended = ['Ready', 'ContainersReady'].flatMap(
    (type) => condition(type, 'False', 'ContainersNotReady', '', '2026-01-05T02:10:00Z').conditions,
  );
  const at = (minutes: number): number => created + minutes * minute;
  const cases: readonly [string, PodView, number, number, boolean][] = [
    ['runs', view({ phase: 'Running' }), at(600), at(1), false],
    ['is being ended', view({ phase: 'Running' }, deleted), at(10), at(1), false],
    ['was to be gone', view({ phase: 'Running' }, deleted), at(11), at(1), true],
    ['has its grace', view({ phase: 'Running' }, { ...deleted, deletionGracePeriodSeconds: 60 }), at(10), at(1), false],
    ['its node has just become silent', view(notReady), at(10.5), at(1), false],
    ['its node is silent', view(notReady), at(12), at(9), true],
    ['its node is silent, and its agent is not', view(notReady), at(12), at(11.9), false],
    [
      'its container has ended, as its kubelet says',
      view({ phase: 'Running', conditions: ended }),
      at(20),
      at(1),
      false,
    ],
    ['its container only begins', view({ ...notReady, phase: 'Pending' }), at(20), at(1), false],
  ];
  for (const [name, pod, now, heardAt, isLost] of cases) {
    const loss = lossOf(pod, (since) => now - since, heardAt);
    assert.equal(loss?.cause ?? null, isLost ? 'lost' : null, name);
    assertHelps(loss, name);
  }
});

test('a pod that is gone was deleted, or taken away by the cluster where it said so before', () => {
  assert.equal(goneOutcome(null).cause, 'lost');
  assert.match(goneOutcome(null, true).message, /made another of that name\. See who deletes/);
  const preempted = view({
    phase: 'Running',
    ...condition('DisruptionTarget', 'True', 'PreemptionByScheduler', 'for another'),
  });
  assert.equal(goneOutcome(preempted).cause, 'evicted');
  for (const end of [goneOutcome(null), goneOutcome(null, true), goneOutcome(preempted)]) assertHelps(end, end.message);
  for (const begun of [true, false]) assertHelps(endedWithoutWord(begun), String(begun));
});

/** Pods that the cluster does not take: the attempt has its words, and what to do. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { admissionRefusals } from '../../support/kubernetes/faults.ts';
import { failure, forbidden, type Status } from '../../support/kubernetes/status.ts';
import type { Pod } from '../../support/kubernetes/wire.ts';
import { command, specOf } from '../workshop.ts';
import { settingsFor, startClusterWithRunner } from './fake-runner.ts';
import { openHarbour } from './harbour.ts';

const refusals: readonly (readonly [what: string, refusal: (pod: Pod) => Status, says: RegExp])[] = [
  ['the pod security', admissionRefusals.podSecurity, /violates PodSecurity.* label the namespace with a level/],
  [
    'a priority class that is not there',
    ({ metadata: { name } }) => forbidden(name, 'no PriorityClass with name nope was found'),
    /no PriorityClass with name nope was found\. Make the class that `priorityClassName` names/,
  ],
  [
    'an account that is not there',
    ({ metadata: { name } }) => forbidden(name, 'error looking up service account ml/x: serviceaccount "x" not found'),
    /serviceaccount "x" not found\. Make the account that `serviceAccountName` names/,
  ],
  [
    'a namespace that is not there',
    () => failure(404, 'NotFound', 'namespaces "nope" not found'),
    /namespaces "nope" not found\. Make it \(kubectl create namespace nope\)/,
  ],
  [
    'a server that has not the right',
    () => failure(403, 'Forbidden', 'pods is forbidden: User "ci" cannot create resource "pods" in the namespace "ml"'),
    /in the namespace "ml"\. Give the server's account the role of docs\/kubernetes-rbac\.yaml there/,
  ],
];
for (const [what, refusal, says] of refusals)
  test(`${what} is told with what to do`, async (t) => {
    const fake = await startClusterWithRunner();
    t.after(() => fake.close());
    fake.refusePods(refusal);
    const harbour = await openHarbour(settingsFor(fake));
    t.after(() => harbour.close());
    const spec = specOf(command('true'));
    await harbour.executor.start(spec);
    const { outcome } = await harbour.finished(spec.attemptId);
    assert.equal(outcome.kind === 'failed' && outcome.cause, 'invalid');
    assert.match(outcome.kind === 'failed' ? outcome.message : '', says);
  });

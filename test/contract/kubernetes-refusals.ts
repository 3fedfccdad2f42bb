/** What the API refuses, word for word. */
import assert from 'node:assert/strict';
import { create, podOf, podWith, refusalOf, type Use } from './kubernetes-suite.ts';

const failure = (code: number, reason: string, message: string, details?: object): object => ({
  code,
  status: {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason,
    ...(details === undefined ? {} : { details }),
    code,
  },
});

export function refusals(use: Use): void {
  use('a pod that is not there is not found', async ({ api, namespace }) => {
    const missing = failure(404, 'NotFound', 'pods "nobody" not found', { name: 'nobody', kind: 'pods' });
    const name = 'nobody';
    assert.deepEqual(await refusalOf(api.readNamespacedPod({ namespace, name })), missing);
    assert.deepEqual(await refusalOf(api.deleteNamespacedPod({ namespace, name })), missing);
    assert.deepEqual(await refusalOf(api.readNamespacedPodLog({ namespace, name })), missing);
  });

  use('no pod is made in a namespace that is not there', async ({ api }) => {
    const details = { name: 'nowhere', kind: 'namespaces' };
    const missing = failure(404, 'NotFound', 'namespaces "nowhere" not found', details);
    assert.deepEqual(
      await refusalOf(api.createNamespacedPod({ namespace: 'nowhere', body: podOf('lost', {}) })),
      missing,
    );
    assert.deepEqual(await refusalOf(api.readNamespace({ name: 'nowhere' })), missing);
  });

  use('a name is given to one pod at a time', async (given) => {
    await create(given, podOf('twice', { command: ['true'] }));
    assert.deepEqual(
      await refusalOf(create(given, podOf('twice', { command: ['false'] }))),
      failure(409, 'AlreadyExists', 'pods "twice" already exists', { name: 'twice', kind: 'pods' }),
    );
  });

  use('a pod that is only shown is answered or refused as another, and never made', async (given) => {
    const { api, namespace } = given;
    const show = (body: ReturnType<typeof podOf>): ReturnType<typeof api.createNamespacedPod> =>
      api.createNamespacedPod({ namespace, body, dryRun: 'All' });
    const { metadata, status } = await show(podOf('shown', { command: ['true'] }));
    assert.deepEqual([metadata?.name, status?.phase], ['shown', 'Pending']);
    const missing = failure(404, 'NotFound', 'pods "shown" not found', { name: 'shown', kind: 'pods' });
    assert.deepEqual(await refusalOf(api.readNamespacedPod({ namespace, name: 'shown' })), missing);
    assert.match(JSON.stringify(await refusalOf(show(podWith('shown', [])))), /spec\.containers: Required value/);
  });

  use('all that is wrong with a pod is told at once, each with its field', async (given) => {
    const containers = podWith('wrong', [{ name: 'Main_' }, { name: 'two', image: '' }], {
      restartPolicy: 'Sometimes',
      activeDeadlineSeconds: 0,
    });
    const label =
      "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    const policies = 'supported values: "Always", "OnFailure", "Never"';
    const seconds = 'must be between 1 and 2147483647, inclusive';
    const causes = [
      ['FieldValueInvalid', `Invalid value: "Main_": ${label}`, 'spec.containers[0].name'],
      ['FieldValueRequired', 'Required value', 'spec.containers[1].image'],
      ['FieldValueNotSupported', `Unsupported value: "Sometimes": ${policies}`, 'spec.restartPolicy'],
      ['FieldValueInvalid', `Invalid value: 0: ${seconds}`, 'spec.activeDeadlineSeconds'],
    ].map(([reason, message, field]) => ({ reason, message, field }));
    const told = causes.map(({ field, message }) => `${field}: ${message}`).join(', ');
    const details = { name: 'wrong', kind: 'Pod', causes };
    assert.deepEqual(
      await refusalOf(create(given, containers)),
      failure(422, 'Invalid', `Pod "wrong" is invalid: [${told}]`, details),
    );
  });

  use('a pod needs a container, and a name that may be one', async (given) => {
    const required = { reason: 'FieldValueRequired', message: 'Required value', field: 'spec.containers' };
    assert.deepEqual(
      await refusalOf(create(given, podWith('empty', []))),
      failure(422, 'Invalid', 'Pod "empty" is invalid: spec.containers: Required value', {
        name: 'empty',
        kind: 'Pod',
        causes: [required],
      }),
    );
    const message = `Invalid value: "Bad_Name": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')`;
    const cause = { reason: 'FieldValueInvalid', message, field: 'metadata.name' };
    assert.deepEqual(
      await refusalOf(create(given, podOf('Bad_Name', {}))),
      failure(422, 'Invalid', `Pod "Bad_Name" is invalid: metadata.name: ${message}`, {
        name: 'Bad_Name',
        kind: 'Pod',
        causes: [cause],
      }),
    );
  });

  use('a pod of another uid is not deleted', async (given) => {
    const { api, namespace } = given;
    const { metadata } = await create(given, podOf('other', { command: ['true'] }));
    const body = { preconditions: { uid: 'of-another' } };
    assert.deepEqual(
      await refusalOf(api.deleteNamespacedPod({ namespace, name: 'other', body })),
      failure(
        409,
        'Conflict',
        `Operation cannot be fulfilled on Pod "other": the UID in the precondition (of-another) does not match the UID in record (${metadata?.uid}). The object might have been deleted and then recreated`,
        { name: 'other', kind: 'Pod' },
      ),
    );
  });

  use('a selector that cannot be read, and a field that there is not, are refused', async ({ api, namespace }) => {
    const parse = "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt";
    assert.deepEqual(
      await refusalOf(api.listNamespacedPod({ namespace, labelSelector: 'a b c' })),
      failure(400, 'BadRequest', parse),
    );
    assert.deepEqual(
      await refusalOf(api.listNamespacedEvent({ namespace, fieldSelector: 'foo=bar' })),
      failure(400, 'BadRequest', 'field label not supported: foo'),
    );
  });
}

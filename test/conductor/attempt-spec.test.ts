/** What an executor is given of a step: its pod and its container, with the values of the run. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { prepareAttempt } from '../../src/conductor/runs/attempt-spec.ts';
import { lookSpecOf } from '../../src/conductor/waits/look-spec.ts';
import { open } from '../../src/engine/engine.ts';
import type { RunOpened, Trigger } from '../../src/engine/event.ts';
import type { AttemptSpec } from '../../src/executor/executor.ts';
import type { Binding, StepDefinition } from '../../src/pipeline/definition.ts';
import type { ModelRegistry, ModelVersion } from '../../src/registry/registry.ts';
import { success } from '../../src/std/result.ts';
import { pipelineOf, stepOf, works } from '../support/definitions.ts';
import { openedOf } from '../support/drive.ts';

const unasked = async (): Promise<never> => {
  throw new Error('no registry is asked here');
};
const registry: ModelRegistry = {
  champion: unasked,
  model: unasked,
  models: unasked,
  modelsHere: unasked,
  ledger: unasked,
  promote: unasked,
};

async function prepared(
  step: Partial<StepDefinition>,
  opened: Partial<RunOpened> = {},
  champion: ModelRegistry['champion'] = unasked,
): ReturnType<typeof prepareAttempt> {
  const definition = pipelineOf([stepOf({ name: 'train', ...step })], {
    parameters: { size: { type: 'number', default: 3, description: null, choices: null } },
  });
  const run = open(definition, openedOf(opened));
  return prepareAttempt(run, { step: 'train', index: 0, attempt: 1 }, { ...registry, champion });
}

async function specOf(step: Partial<StepDefinition>): Promise<AttemptSpec> {
  const spec = await prepared(step);
  assert.ok(spec.ok);
  return spec.value;
}

test('a step that says nothing of its pod has none', async () => {
  assert.equal((await specOf({})).pod, null);
});

test('the pod is that of the definition, with the values of the run', async () => {
  const pod: Binding = {
    record: {
      nodeSelector: { record: { size: { template: ['s', { parameter: 'size' }] } } },
      tolerations: { list: [{ record: { tolerationSeconds: { reference: { parameter: 'size' } } } }] },
      volumes: { literal: [{ name: 'data', emptyDir: {} }] },
      image: { literal: null },
    },
  };
  assert.deepEqual((await specOf({ pod })).pod, {
    nodeSelector: { size: 's3' },
    tolerations: [{ tolerationSeconds: 3 }],
    volumes: [{ name: 'data', emptyDir: {} }],
    image: null,
  });
});

test('a pod that refers to what was not given is refused', async () => {
  const result = await prepared({ pod: { record: { image: { reference: { parameter: 'nothing' } } } } });
  assert.deepEqual(result, { ok: false, error: { cause: 'invalid', message: 'parameter "nothing" was not given' } });
});

test('a container is handed on as it is, and its executor decides what runs', async () => {
  const { work } = await specOf({
    work: {
      kind: 'container',
      image: ['trainer:', { parameter: 'size' }],
      command: ['train'],
      args: ['--size', [{ parameter: 'size' }]],
      environment: { SIZE: [{ parameter: 'size' }] },
      resources: { requests: { cpu: '1' }, limits: {} },
      localCommand: null,
    },
  });
  assert.deepEqual(work, {
    kind: 'container',
    image: 'trainer:3',
    command: ['train'],
    args: ['--size', '3'],
    environment: { SIZE: '3' },
    resources: { requests: { cpu: '1' }, limits: {} },
    localCommand: null,
  });
});

const from = (fork: boolean): { readonly trigger: Trigger } => ({
  trigger: { kind: 'pull-request', number: 1, branch: 'b', baseBranch: 'main', baseSha: '', actor: 'ada', fork },
});
const patched: Binding = { literal: { patch: { spec: { hostNetwork: true } } } };
const refusal = '"train" patches its pod, which code from a fork may not: only what is in the repository itself may';

test('code from a fork may not patch its pod, and may say the rest', async () => {
  assert.equal((await prepared({ pod: patched }, from(false))).ok, true);
  assert.equal((await prepared({ pod: { literal: { labels: { a: 'b' } } } }, from(true))).ok, true);
  assert.deepEqual(await prepared({ pod: patched }, from(true)), {
    ok: false,
    error: { cause: 'invalid', message: refusal },
  });
});

test('how long pods are kept is not for code from a fork to say', async () => {
  const pod: Binding = { literal: { image: 'r', onFinishAction: 'keep_pod', ttlAfterFinished: '1h' } };
  const ours = await prepared({ pod }, from(false));
  assert.deepEqual(ours.ok && ours.value.pod, { image: 'r', onFinishAction: 'keep_pod', ttlAfterFinished: '1h' });
  const theirs = await prepared({ pod }, from(true));
  assert.deepEqual(theirs.ok && theirs.value.pod, { image: 'r' });
});

function lookOf(pod: Binding, opened: Partial<RunOpened> = {}): ReturnType<typeof lookSpecOf> {
  const condition = { condition: 'function', file: 'p.ts', input: { literal: {} } } as const;
  const work = { kind: 'wait', for: condition, intervalMs: 1000, timeoutMs: 60_000, softFail: false } as const;
  const run = open(pipelineOf([stepOf({ name: 'train', work, pod })]), openedOf(opened));
  const step = run.steps.get('train');
  const instance = step?.instances?.[0];
  assert.ok(step !== undefined && instance !== undefined);
  return lookSpecOf(run, { step, work, instance, since: 0, until: 60_000 }, condition);
}

test('a look has the pod of its step, by the same rules', () => {
  const look = lookOf({ record: { image: { template: ['runner:', { context: 'pipeline' }] } } });
  assert.deepEqual(look.ok && look.value.pod, { image: 'runner:example' });
  assert.equal(lookOf(patched, from(false)).ok, true);
  assert.deepEqual(lookOf(patched, from(true)), { ok: false, error: refusal });
});

test("the champion's predictions are fetched where they are read, and not where both models are scored", async () => {
  const file = { $artifact: 'a'.repeat(64), name: 'predictions.csv', bytes: 1 };
  const champion = { version: 1, artifact: file, predictions: file } as ModelVersion;
  const score = { kind: 'command', command: [['score']], environment: {} } as const;
  const given = async (changes: Parameters<typeof works.challenge>[0]): Promise<unknown> => {
    const work = works.challenge({ challenger: { literal: { ...file } }, ...changes });
    const spec = await prepared({ work }, {}, async () => success(champion));
    assert.ok(spec.ok && spec.value.work.kind === 'challenge');
    return spec.value.work.champion?.predictions;
  };
  assert.deepEqual(await given({ score: null, predictions: { literal: 'rows.csv' } }), file);
  assert.equal(await given({ score, predictions: null }), null);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Graphs } from '../../src/server/pages/graphs.ts';
import { graphSource, layOut } from '../../src/ui/ui.ts';
import { pipelineOf, stepOf } from '../support/definitions.ts';

function definitionOf(count: number): ReturnType<typeof pipelineOf> {
  return pipelineOf(
    Array.from({ length: count }, (_, at) =>
      stepOf({ name: `step-${at}`, upstream: at === 0 ? [] : [`step-${Math.floor((at - 1) / 3)}`] }),
    ),
  );
}

test('a large graph is laid out beside the requests, and is the same picture', async () => {
  const graphs = new Graphs();
  const definition = definitionOf(120);
  const wanted = layOut(graphSource(definition));
  let graph = await graphs.of('digest', definition);
  // A slow machine may need more than the moment that a page waits.
  for (let looks = 0; graph === null && looks < 20; looks += 1) graph = await graphs.of('digest', definition);
  assert.deepEqual(graph, wanted);
});

test('beyond 500 steps there is no picture', async () => {
  assert.equal(await new Graphs().of('digest', definitionOf(501)), null);
});

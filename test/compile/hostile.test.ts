/** No definition reaches outside of the sandbox, and none harms the file next to it. */
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, test } from 'node:test';
import { createCompiler } from '../../src/compile/compiler.ts';
import { hostileDefinitions } from './hostile-definitions.ts';
import { commitOf, goodFile } from './sources.ts';

// What must be stopped is stopped soon; all else has time enough, however busy the machine is.
const hurried = await createCompiler({ evaluationMs: 250, evaluationKillMs: 2000 });
const patient = await createCompiler({ evaluationMs: 20_000, evaluationKillMs: 40_000 });
after(async () => await Promise.all([hurried.close(), patient.close()]));

for (const { title, source, code } of hostileDefinitions) {
  test(`${title}: ${code ?? 'it does nothing'}, and the next file compiles`, async () => {
    const compiler = code === 'definition-limit' ? hurried : patient;
    const compiled = await compiler.compile(
      commitOf({ '.pipelines/hostile.ts': source, '.pipelines/next.ts': goodFile }),
    );
    const [hostile, next] = compiled;
    assert.deepEqual(next?.problems, []);
    const problem = hostile?.problems[0];
    assert.deepEqual([problem?.code ?? null, problem?.message], [code, problem?.message]);
    assert.equal(hostile?.version === null, code !== null);
    if (problem !== undefined) {
      assert.equal(problem.where?.file, '.pipelines/hostile.ts');
      assert.ok(problem.message.length < 2000 && problem.help.length > 10, 'a message that can be read');
    }
    assert.equal(existsSync('/tmp/escaped'), false);
  });
}

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { openGround } from '../../bench/ground.ts';
import { treesOf } from '../../bench/processes.ts';
import { nameOf, stepsOf, type Workload } from '../../bench/subject.ts';

const workloads: readonly (readonly [workload: Workload, name: string, steps: number])[] = [
  [{ shape: 'chain', steps: 40 }, 'chain-40', 40],
  [{ shape: 'fan', steps: 200 }, 'fan-200', 202],
  [{ shape: 'burst', runs: 50, steps: 5 }, 'burst-50x5', 250],
  [{ shape: 'trigger' }, 'trigger', 1],
];

for (const [workload, name, steps] of workloads) {
  test(`${name} has ${steps} ${steps === 1 ? 'step' : 'steps'}`, () => {
    assert.deepEqual([nameOf(workload), stepsOf(workload)], [name, steps]);
  });
}

/** Says what it is asked, complains of a negative number, and has a child that ignores every polite request. */
const program = `
import { spawn } from 'node:child_process';
import { writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
spawn(process.execPath, ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"]);
console.log('what a library prints');
writeSync(3, '{"ms":0}\\n');
for await (const line of createInterface({ input: process.stdin })) {
  const { ms } = JSON.parse(line);
  writeSync(3, JSON.stringify(ms < 0 ? { error: 'negative' } : { ms }) + '\\n');
}
process.exit();
`;

test('a program answers one request after the other, and what it started goes with the ground', async () => {
  const ground = openGround();
  let descendants: readonly number[] = [];
  try {
    const path = join(ground.folder, 'program.mjs');
    writeFileSync(path, program);
    const conversation = await ground.converse({ program: process.execPath, arguments: [path] });
    assert.equal(await conversation.ask({ ms: 5 }), 5);
    await assert.rejects(conversation.ask({ ms: -1 }), /negative\nwhat a library prints/);
    assert.equal(await conversation.ask({ ms: 6 }), 6);
    descendants = treesOf(ground.roots).map(({ pid }) => pid);
    assert.equal(descendants.length, 2);
  } finally {
    await ground.close();
  }
  assert.deepEqual(treesOf(descendants), []);
});

test('a program that ends before it is ready is told with what it printed', async () => {
  const ground = openGround();
  try {
    const started = ground.converse({ program: process.execPath, arguments: ['-e', "throw new Error('no database')"] });
    await assert.rejects(started, /the program ended:\n[^]*no database/);
  } finally {
    await ground.close();
  }
});

/** A bounded part of the simulation, for every `npm test`; `test/simulation/main.ts` goes further. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { catchMutantAgain } from './catch.ts';
import { faultClasses } from './faults.ts';
import { replayLine } from './arguments.ts';
import { mutantNames, mutants } from './mutants.ts';
import { shrink } from './shrink.ts';
import { simulate } from './simulate.ts';

const steps = 500;

test('a seed gives the same world each time', async () => {
  const first = await simulate({ seed: 3, steps });
  assert.deepEqual(await simulate({ seed: 3, steps }), first);
});

test('no promise is broken, whatever goes wrong', async () => {
  for (let seed = 1; seed <= 40; seed += 1) {
    const { violation } = await simulate({ seed, steps });
    const replay = replayLine({ seed, steps, off: new Set(), mutant: null });
    assert.equal(violation, null, `${violation?.promise} ${violation?.what}\n${replay}`);
  }
});

for (const mutant of mutantNames) {
  test(`it is noticed where something ${mutants[mutant].what}`, async () => {
    const caught = await catchMutantAgain(mutant, steps);
    assert.notEqual(caught, null);
  });
}

test('a broken seed is made smaller and stays broken', async () => {
  const mutant = 'champion-not-compared';
  const broken = await catchMutantAgain(mutant, steps);
  assert.ok(broken !== null);
  const small = await shrink({ seed: broken.seed, steps, mutant }, broken);
  assert.ok(small.steps < steps);
  assert.equal(small.outcome.violation?.promise, broken.violation?.promise);
});

test('the page about it names every fault and every guard', () => {
  const page = readFileSync(new URL('../../docs/simulation.md', import.meta.url), 'utf8');
  for (const name of [...faultClasses, ...mutantNames]) assert.ok(page.includes(`\`${name}\``), name);
});

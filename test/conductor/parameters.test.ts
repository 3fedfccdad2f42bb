import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseParameters } from '../../src/conductor/triggers/triggers.ts';
import type { RunOpened } from '../../src/engine/event.ts';
import type { PipelineDefinition } from '../../src/pipeline/definition.ts';
import { parameterText, type ParameterDefinition } from '../../src/pipeline/parameter.ts';

const parameter = (given: Partial<ParameterDefinition>): ParameterDefinition => ({
  type: 'string',
  default: null,
  description: null,
  choices: null,
  ...given,
});

const declared = {
  depth: parameter({ type: 'number', default: 3 }),
  fast: parameter({ type: 'boolean', default: false }),
  region: parameter({ default: 'eu', choices: ['eu', 'us'] }),
};

function parsed(given: RunOpened['parameters'], of: PipelineDefinition['parameters'] = declared): unknown {
  const result = parseParameters(of, given);
  return result.ok ? result.value : result.error;
}

test('what is not given has its default, and text becomes what is declared', () => {
  assert.deepEqual(parsed({}), { depth: 3, fast: false, region: 'eu' });
  assert.deepEqual(parsed({ depth: '6.5', fast: 'true', region: 'us' }), { depth: 6.5, fast: true, region: 'us' });
  assert.deepEqual(parsed({ depth: 0, fast: false, region: 'eu' }), { depth: 0, fast: false, region: 'eu' });
});

test('what does not fit is said with what was expected', () => {
  for (const depth of ['', ' ', 'many', 'NaN', 'Infinity', true])
    assert.match(String(parsed({ depth })), /"depth" must be a number, not/, JSON.stringify(depth));
  for (const fast of ['yes', '1', 1]) assert.match(String(parsed({ fast })), /"fast" must be a boolean, not/);
  assert.match(String(parsed({ region: 'mars' })), /"region" must be one of eu, us, not "mars"/);
});

const lists = {
  regions: parameter({ type: 'list', items: 'string', choices: ['eu', 'us', 'asia'], minItems: 1, maxItems: 2 }),
  sizes: parameter({ type: 'list', items: 'number', default: [], min: 0.5, max: 8 }),
};

test('a list is given as one, between commas, or as JSON', () => {
  for (const regions of ['eu,us', ' eu , us', '["eu","us"]', ['eu', 'us']] as const)
    assert.deepEqual(parsed({ regions }, lists), { regions: ['eu', 'us'], sizes: [] }, JSON.stringify(regions));
  for (const sizes of ['1,2.5', '[1, 2.5]', [1, 2.5]] as const)
    assert.deepEqual(parsed({ regions: 'eu', sizes }, lists), { regions: ['eu'], sizes: [1, 2.5] });
  assert.deepEqual(parsed({ regions: 'eu', sizes: 4 }, lists), { regions: ['eu'], sizes: [4] });
  assert.deepEqual(parsed({ regions: 'eu', sizes: '' }, lists), { regions: ['eu'], sizes: [] });
});

test('a list that does not fit says which of its items, or how many', () => {
  const refused = [
    [{ regions: '' }, 'the parameter "regions" must have from 1 to 2 items, not 0'],
    [{ regions: 'eu,us,asia' }, 'the parameter "regions" must have from 1 to 2 items, not 3'],
    [{ regions: 'mars' }, 'the parameter "regions" holds "mars": each item must be one of eu, us, asia, not "mars"'],
    [{ regions: '["eu"' }, 'the parameter "regions" must be a list of strings, not "[\\"eu\\""'],
    [{ regions: true }, 'the parameter "regions" must be a list of strings, not true'],
    [{ regions: 'eu', sizes: '1,many' }, 'the parameter "sizes" holds "many": each item must be a number, not "many"'],
    [{ regions: 'eu', sizes: [9] }, 'the parameter "sizes" holds 9: each item must be from 0.5 to 8, not 9'],
    [{ regions: 'eu', sizes: '[[1]]' }, 'the parameter "sizes" holds [1]: each item must be a number, not [1]'],
  ] as const;
  for (const [given, message] of refused) assert.equal(parsed(given, lists), message);
  assert.match(String(parsed({ depth: [3] })), /"depth" must be a number, not \[3\]/);
});

test('numbers and text have bounds', () => {
  const bounded = {
    depth: parameter({ type: 'number', default: 3, min: 1, max: 10 }),
    name: parameter({ default: 'abc', minLength: 3 }),
  };
  assert.deepEqual(parsed({ depth: '10', name: 'abcd' }, bounded), { depth: 10, name: 'abcd' });
  assert.equal(parsed({ depth: 0 }, bounded), 'the parameter "depth" must be from 1 to 10, not 0');
  assert.equal(parsed({ name: 'ab' }, bounded), 'the parameter "name" must have at least 3 characters, not 2');
});

test('a value is written as it is read', () => {
  for (const value of [['a', 'b'], ['a,b'], [' a'], [''], ['[1'], []])
    assert.deepEqual(parsed({ of: parameterText(value) }, { of: parameter({ type: 'list', items: 'string' }) }), {
      of: value,
    });
});

test('a parameter that nobody declared is refused, whatever its name', () => {
  for (const name of ['other', 'constructor', 'toString', '__proto__']) {
    const given: Record<string, string> = JSON.parse(`{ "${name}": "x" }`);
    assert.match(String(parsed(given)), /there is no parameter ".*"; declared: depth, fast, region/, name);
  }
});

test('a parameter without a default must be given, even when it is called like something of every object', () => {
  const own = { constructor: parameter({}) };
  assert.match(
    String(Object(parseParameters(own, {})).error),
    /"constructor" \(string\) has no default and must be given/,
  );
  assert.deepEqual(parseParameters(own, { constructor: 'x' }), { ok: true, value: { constructor: 'x' } });
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { parseParameters } from '../../src/conductor/triggers/triggers.ts';
import type { ParameterDefinition } from '../../src/pipeline/definition.ts';

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

function parsed(given: Readonly<Record<string, string | number | boolean>>): unknown {
  const result = parseParameters(declared, given);
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

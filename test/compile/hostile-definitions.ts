/**
 * Definitions that mean harm, each with the code of the problem that it has to end in; `null`: it compiles, because what
 * it tries does nothing. None may reach anything outside of the sandbox or harm the file next to it.
 */
import type { ProblemCode } from '../../src/std/problem-codes.ts';
import { pipelineFile } from './sources.ts';

export interface HostileDefinition {
  readonly title: string;
  readonly source: string;
  readonly code: ProblemCode | null;
}

const step = `step('x', { command: ['true'] });`;
const pipeline = pipelineFile(step, 'hostile');

/** Runs before the words are used. */
const before = (code: string): string => `${code}\n${pipeline}`;

/** Made without the words: what the guest reads is found under a symbol that everybody can know. */
const forged = (definition: string, extra = ''): string =>
  `const step = (name: string, upstream: string[] = []): any => ({ name, description: null, upstream, triggerRule: 'all_success', finally: false, retry: { count: 0, delayMs: 1, factor: 1, delayMaxMs: 1 }, timeoutMs: 1000, graceMs: 0, secrets: [], cache: null, map: null, outputs: {}, work: { kind: 'command', command: ['true'], environment: {} } });
const head: any = { name: 'hostile', description: null, owner: null, tags: [], on: { schedule: null, push: null, pullRequest: null }, parameters: {}, maxActiveRuns: 1, overlap: 'allow', cancelInProgress: false, runTimeoutMs: null, deadlineMs: null, freshness: null, steps: [step('a')] };
const definition: any = ${definition};
${extra}
export default { [Symbol.for('contender.pipeline')]: { definition, functions: new Map(), stack: '' } };`;

const time: readonly HostileDefinition[] = [
  { title: 'an endless loop', source: 'while (true);', code: 'definition-limit' },
  {
    title: 'an endless loop that catches everything',
    source: 'while (true) try { for (;;); } catch {} finally { continue; }',
    code: 'definition-limit',
  },
  {
    title: 'a loop of large allocations',
    source: 'const a: unknown[] = []; for (;;) a.push(new Array(1e5).fill(1));',
    code: 'definition-limit',
  },
  {
    title: 'a loop of allocations that are dropped',
    source: 'let a; for (;;) a = new Array(1e6).fill(1); export default a;',
    code: 'definition-limit',
  },
  {
    title: 'a regular expression that goes back and forth',
    source: `/^(a+)+$/.test('a'.repeat(50) + 'b');`,
    code: 'definition-limit',
  },
  { title: 'a comparison that never ends', source: '[3, 2, 1].sort(() => { for (;;); });', code: 'definition-limit' },
  {
    title: 'a sort of very much',
    source: 'const a = Array.from({ length: 3e5 }, (_, i) => (i * 7919) % 1000003); for (;;) a.slice().sort();',
    code: 'definition-limit',
  },
  {
    title: 'numbers that take long to compute',
    source: 'for (;;) 3n ** 600000n;',
    code: 'definition-limit',
  },
  {
    title: 'a generator that never ends',
    source: 'function* g() { for (;;) yield 1; } const a = [...g()]; export default a;',
    code: 'definition-limit',
  },
  {
    title: 'a getter that never ends in the options',
    source: pipelineFile(`step('x', { get command() { for (;;); return ['x']; } } as any);`),
    code: 'definition-limit',
  },
  {
    title: 'a getter that never ends in the result',
    source: forged('{ ...head, get name() { for (;;); } }'),
    code: 'definition-limit',
  },
  { title: 'toJSON that never ends', source: forged('{ ...head, toJSON() { for (;;); } }'), code: 'definition-limit' },
  {
    title: 'a thrown error whose message never ends',
    source: 'throw { get message() { for (;;); } };',
    code: 'definition-limit',
  },
  {
    title: 'labels that keep the bundler busy for minutes',
    source: `${'a:'.repeat(19_000)}1;`,
    code: 'definition-limit',
  },
];

const memory: readonly HostileDefinition[] = [
  { title: 'a huge string', source: `const s = 'x'.repeat(2 ** 30 - 2); export default s;`, code: 'definition-limit' },
  {
    title: 'a string that doubles',
    source: `let s = 'x'; for (;;) s = s + s + Math.max(1);`,
    code: 'definition-limit',
  },
  {
    title: 'a padded string',
    source: `const s = ''.padEnd(2 ** 29, 'ab'); export default s;`,
    code: 'definition-limit',
  },
  {
    title: 'a huge list',
    source: 'const a = Array.from({ length: 1e9 }, () => ({})); export default a;',
    code: 'definition-limit',
  },
  { title: 'a huge buffer', source: 'const a = new ArrayBuffer(2 ** 31); export default a;', code: 'definition-threw' },
  {
    title: 'memory that is asked for again and again',
    source: 'const a: unknown[] = []; for (;;) try { a.push(new Uint8Array(1 << 20)); } catch { a.length = 0; }',
    code: 'definition-limit',
  },
  { title: 'a function that calls itself', source: 'const f = (): number => 1 + f(); f();', code: 'definition-limit' },
  {
    title: 'two functions that call each other through toString',
    source: 'const o: any = { toString: () => `${p}` }; const p: any = { toString: () => `${o}` }; `${o}`;',
    code: 'definition-limit',
  },
  {
    title: 'a stack overflow inside of JSON',
    source: 'let a: unknown = []; for (let i = 0; i < 1e5; i++) a = [a]; JSON.stringify(a);',
    code: 'definition-limit',
  },
  { title: 'a stack overflow while parsing JSON', source: `JSON.parse('['.repeat(1e6));`, code: 'definition-threw' },
  {
    title: 'a stack overflow in a regular expression',
    source: `new RegExp('('.repeat(1e5));`,
    code: 'definition-threw',
  },
  {
    title: 'a stack overflow in a chain of proxies',
    source: 'let p: any = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x;',
    code: 'definition-limit',
  },
  {
    title: 'a chain of bound functions',
    source: 'let f: any = () => 1; for (let i = 0; i < 1e5; i++) f = f.bind(null); f();',
    code: 'definition-limit',
  },
  {
    title: 'a result of 100 MB',
    source: forged(`{ ...head, description: 'x'.repeat(25e6) }`),
    code: 'definition-limit',
  },
  {
    title: 'a hundred thousand wrong choices',
    source: forged(
      "{ ...head, steps: Array.from({ length: 190 }, (_, i) => ({ ...step(`b${i}`), work: { kind: 'branch', file: '', input: { literal: null }, choices: new Array(950).fill('a') } })) }",
    ),
    code: 'definition-invalid',
  },
  {
    title: 'a result just above the limit',
    source: forged(`{ ...head, description: 'x'.repeat(1024 * 1024) }`),
    code: 'definition-limit',
  },
  { title: 'brackets without end in the source', source: '['.repeat(1_000_000), code: 'definition-limit' },
  {
    title: 'signs without end in the source',
    source: `const x = ${'!'.repeat(1_000_000)}1;`,
    code: 'definition-limit',
  },
  {
    title: '10 001 steps',
    source: pipelineFile(`for (let i = 0; i < 10001; i++) step('x' + i, { command: ['true'] });`),
    code: 'definition-limit',
  },
  {
    title: '10 001 steps without the words',
    source: forged('{ ...head, steps: Array.from({ length: 10001 }, (_, i) => step("a" + i)) }'),
    code: 'definition-limit',
  },
  {
    title: '1100 small steps without the words',
    source: forged('{ ...head, steps: Array.from({ length: 1100 }, (_, i) => step("a" + i)) }'),
    code: 'definition-invalid',
  },
  {
    title: 'a million templates',
    source: pipelineFile(
      'const a: string[] = []; for (let i = 0; i < 1e6; i++) a.push(`${date}`); step("x", { command: a });',
    ),
    code: 'definition-limit',
  },
  {
    title: 'an input that is nested without end',
    source: pipelineFile('const a: any = {}; a.a = a; step("x", { input: a, run: () => 1 });'),
    code: 'definition-option',
  },
];

const pollution: readonly HostileDefinition[] = [
  { title: 'a field for every object', source: before(`(Object.prototype as any).polluted = 'x';`), code: null },
  {
    title: 'a setter for every definition',
    source: before(
      `Object.defineProperty(Object.prototype, 'definition', { set() { for (;;); }, get() { return 1; } });`,
    ),
    code: null,
  },
  {
    title: 'another toJSON for every object',
    source: before(`(Object.prototype as any).toJSON = () => ({ name: 'x' });`),
    code: 'definition-invalid',
  },
  {
    title: 'another Array.prototype.map',
    source: before(`Array.prototype.map = () => [] as any;`),
    code: 'definition-handle',
  },
  {
    title: 'another iterator of lists',
    source: before(`Array.prototype[Symbol.iterator] = function* () { for (;;) yield 1 as any; };`),
    code: 'definition-threw',
  },
  {
    title: 'another JSON',
    source: before(`JSON.stringify = () => '{"definition":{"name":"x"},"stack":""}';`),
    code: null,
  },
  {
    title: 'another Map',
    source: before(`Map.prototype.get = () => 1; Map.prototype.set = () => { throw 1; };`),
    code: 'definition-threw',
  },
  {
    title: 'another Object.freeze and Object.keys',
    source: before(
      `Object.freeze = (x: any) => { x.name = '__proto__'; return x; }; Object.keys = () => ['__proto__'];`,
    ),
    code: 'definition-option',
  },
  {
    title: 'another Function.prototype.call',
    source: before(`Function.prototype.call = Function.prototype.apply = () => { throw 1; };`),
    code: 'definition-threw',
  },
  {
    title: 'another Error',
    source: before(`(globalThis as any).Error = class { constructor() { return {}; } }; throw new Error('x');`),
    code: 'definition-threw',
  },
  {
    title: 'other words for the next file',
    source: before(`(globalThis as any)['contender:words'] = {};`),
    code: null,
  },
  {
    title: 'words that are frozen and replaced',
    source: `const words = (globalThis as any)['contender:words']; words.step = () => 1;\n${pipeline}`,
    code: null,
  },
];

const results: readonly HostileDefinition[] = [
  {
    title: 'a proxy as the result',
    source: forged('new Proxy(head, { get: (t, k) => (k === "name" ? "x".repeat(100) : t[k]) })'),
    code: 'definition-invalid',
  },
  {
    title: 'a proxy that throws as the export',
    source: 'export default new Proxy({}, { has() { throw 1; }, get() { throw 1; } });',
    code: 'definition-threw',
  },
  {
    title: 'a result with a key __proto__',
    source: forged(`JSON.parse('{"__proto__":{"name":"x"}}')`),
    code: 'definition-invalid',
  },
  {
    title: 'a result with a key constructor',
    source: forged('{ ...head, constructor: { prototype: {} } }'),
    code: 'definition-invalid',
  },
  {
    title: 'a result with symbols',
    source: forged('{ ...head, [Symbol("x")]: 1, [Symbol.toPrimitive]: 1 }'),
    code: null,
  },
  {
    title: 'a result that holds itself',
    source: forged('{ ...head, tags: head }', 'head.owner = definition; definition.owner = definition;'),
    code: 'definition-threw',
  },
  {
    title: 'a result that is nested deep',
    source: forged('head', 'let a: any = 1; for (let i = 0; i < 500; i++) a = { a }; head.tags = a;'),
    code: 'definition-invalid',
  },
  { title: 'a result of functions', source: forged('() => 1'), code: 'definition-invalid' },
  { title: 'a result that is null', source: forged('null'), code: 'definition-invalid' },
  {
    title: 'a result that is not finite',
    source: forged('{ ...head, maxActiveRuns: Infinity }'),
    code: 'definition-invalid',
  },
  {
    title: 'a result that is a large integer',
    source: forged('{ ...head, maxActiveRuns: 1n }'),
    code: 'definition-threw',
  },
  {
    title: 'a result that changes between two reads',
    source: forged(
      'head',
      'let n = 0; Object.defineProperty(head, "name", { enumerable: true, get: () => "n" + n++ });',
    ),
    code: null,
  },
  {
    title: 'a cycle of steps',
    source: forged('{ ...head, steps: [step("a", ["b"]), step("b", ["a"])] }'),
    code: 'definition-invalid',
  },
  {
    title: 'a step after itself',
    source: forged('{ ...head, steps: [step("a", ["a"])] }'),
    code: 'definition-invalid',
  },
  {
    title: 'a step after one that is not there',
    source: forged('{ ...head, steps: [step("a", ["no"])] }'),
    code: 'definition-invalid',
  },
  { title: 'a step twice', source: forged('{ ...head, steps: [step("a"), step("a")] }'), code: 'definition-invalid' },
  {
    title: 'a step with a path as its name',
    source: forged('{ ...head, steps: [step("../../etc/passwd")] }'),
    code: 'definition-invalid',
  },
  {
    title: 'a step with a very long name',
    source: pipelineFile(`step('x'.repeat(1e6), { command: ['true'] });`),
    code: 'definition-name',
  },
  {
    title: 'a command with a NUL',
    source: pipelineFile(`step('x', { command: ['a\\0b'] });`),
    code: 'definition-option',
  },
  {
    title: 'a function in a foreign file',
    source: forged(
      'head',
      'head.steps[0].work = { kind: "function", file: "../../other.ts", input: { literal: null } };',
    ),
    code: null,
  },
  {
    title: 'a problem of its own making',
    source: `const words = (globalThis as any)['contender:words']; try { words.step('x', {}); } catch (e: any) { e.problem = { code: 'no-such-code', message: 'x', help: 'x', where: { file: '/etc/passwd', line: 1, column: 1 } }; throw e; }`,
    code: 'definition-limit',
  },
];

const escapes: readonly HostileDefinition[] = [
  {
    title: 'the constructor of a constructor',
    source: before(`(0 as any).constructor.constructor('return process')().exit(1);`),
    code: 'definition-impure',
  },
  {
    title: 'the constructor of an async function',
    source: before(`(async () => {}).constructor('return process')();`),
    code: 'definition-impure',
  },
  {
    title: 'the constructor of a generator',
    source: before(`Object.getPrototypeOf(function* () {}).constructor('return process')();`),
    code: 'definition-impure',
  },
  { title: 'eval', source: before(`(0, eval)('process.exit(1)');`), code: 'definition-impure' },
  {
    title: 'new Function',
    source: before(`new Function('return globalThis')().process.exit(1);`),
    code: 'definition-impure',
  },
  { title: 'process', source: before(`process.exit(1);`), code: 'definition-impure' },
  {
    title: 'process found by its name',
    source: before(`(globalThis as any)['pro' + 'cess'].exit(1);`),
    code: 'definition-threw',
  },
  { title: 'process.binding', source: before(`process.binding('spawn_sync');`), code: 'definition-impure' },
  {
    title: 'require found by its name',
    source: before(`(globalThis as any)['require']('child_process');`),
    code: 'definition-threw',
  },
  {
    title: 'the module system of the package stubs',
    source: `import cp from 'node:child_process';\n${before(`cp.execSync('touch /tmp/escaped');`)}`,
    code: 'definition-impure',
  },
  {
    title: 'modules of the engine',
    source: `import * as os from 'os';\nimport * as std from 'std';\n${before(`std.loadFile('/etc/passwd'); os.exec(['true']);`)}`,
    code: 'definition-impure',
  },
  {
    title: 'a dynamic import of a computed name',
    source: before(`const name = 'node:fs'; import(name).then((fs: any) => fs.writeFileSync('/tmp/escaped', ''));`),
    code: null,
  },
  {
    title: 'import.meta',
    source: before(`if ((import.meta as any).url !== undefined) throw new Error(import.meta.url);`),
    code: null,
  },
  { title: 'workers', source: before(`new (globalThis as any).Worker('x');`), code: 'definition-threw' },
  { title: 'WebAssembly', source: before(`new WebAssembly.Module(new Uint8Array(8));`), code: 'definition-impure' },
  {
    title: 'shared memory',
    source: before(`Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);`),
    code: 'definition-impure',
  },
  { title: 'a request', source: before(`fetch('http://127.0.0.1/');`), code: 'definition-impure' },
  { title: 'a timer', source: before(`setTimeout(() => { for (;;); }, 0);`), code: 'definition-impure' },
  {
    title: 'stacks prepared by the definition',
    source: before(
      `(Error as any).prepareStackTrace = (_: unknown, frames: any) => frames[0].getThis().process.exit(1); new Error('x').stack;`,
    ),
    code: null,
  },
  {
    title: 'the callers of a function',
    source: before(`(function f(this: any) { return (f as any).caller.arguments[0].constructor; })();`),
    code: 'definition-threw',
  },
  {
    title: 'weak references that see the collector',
    source: before(`new WeakRef({}).deref();`),
    code: 'definition-impure',
  },
];

const thrown: readonly HostileDefinition[] = [
  { title: 'null thrown', source: 'throw null;', code: 'definition-limit' },
  { title: 'undefined thrown', source: 'throw undefined;', code: 'definition-threw' },
  { title: 'a symbol thrown', source: `throw Symbol('x');`, code: 'definition-threw' },
  {
    title: 'a proxy thrown',
    source: 'throw new Proxy({}, { get() { throw 1; }, getPrototypeOf() { throw 1; } });',
    code: 'definition-threw',
  },
  {
    title: 'a revoked proxy thrown',
    source: 'const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); throw proxy;',
    code: 'definition-threw',
  },
  {
    title: 'an object thrown whose toString throws',
    source: 'throw { toString() { throw this; } };',
    code: 'definition-threw',
  },
  {
    title: 'an error thrown with a message of 5 MB',
    source: `throw new Error('x'.repeat(5e6));`,
    code: 'definition-threw',
  },
  {
    title: 'an error thrown with a forged place',
    source: `const e = new Error('x'); e.stack = 'at x (definition.js:99999:99999)\\nat y (/etc/passwd:1:1)'; throw e;`,
    code: 'definition-threw',
  },
];

const promises: readonly HostileDefinition[] = [
  {
    title: 'promises that make promises',
    source: before('const f = (): any => Promise.resolve().then(f).then(f); f();'),
    code: null,
  },
  {
    title: 'an async function that never ends',
    source: before('(async () => { for (;;) await null; })();'),
    code: null,
  },
  {
    title: 'an async definition',
    source: `import { pipeline, step } from 'contender';\nexport default pipeline('x', {}, async () => { ${step} });`,
    code: 'definition-promise',
  },
  {
    title: 'a promise of a pipeline',
    source: `import { pipeline, step } from 'contender';\nexport default Promise.resolve(1);`,
    code: 'definition-missing',
  },
  {
    title: 'steps added later',
    source: `import { pipeline, step } from 'contender';\nexport default pipeline('x', {}, () => { Promise.resolve().then(() => { ${step} }); });`,
    code: 'definition-invalid',
  },
];

const determinism: readonly HostileDefinition[] = [
  { title: 'random numbers', source: before('Math.random();'), code: 'definition-impure' },
  { title: 'a clock', source: before('new Date().getTime();'), code: 'definition-impure' },
  {
    title: 'a clock found through its name',
    source: before(`(globalThis as any)['Da' + 'te'].now();`),
    code: 'definition-impure',
  },
  { title: 'a clock of another kind', source: before('performance.now();'), code: 'definition-impure' },
  { title: 'the locale', source: before('new Intl.DateTimeFormat().resolvedOptions();'), code: 'definition-impure' },
  {
    title: 'the depth of the stack',
    source: `let depth = 0;\nconst f = (): void => { depth++; f(); };\ntry { f(); } catch {}\n${pipelineFile(`step('x', { command: ['x', depth] });`)}`,
    code: 'definition-impure',
  },
  {
    title: 'the size of the memory',
    source: `const a: unknown[] = [];\ntry { for (;;) a.push(new Uint8Array(1 << 18)); } catch {}\nconst size = a.length; a.length = 0;\n${pipelineFile(`step('x', { command: ['x', size] });`)}`,
    code: 'definition-impure',
  },
];

export const hostileDefinitions: readonly HostileDefinition[] = [
  ...time,
  ...memory,
  ...pollution,
  ...results,
  ...escapes,
  ...thrown,
  ...promises,
  ...determinism,
];

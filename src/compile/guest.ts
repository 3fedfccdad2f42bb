/**
 * What stands inside of the sandbox before a definition does: the words, stubs of packages, and two functions for the
 * host. It takes away what is not a pure function of the commit. It is bundled and runs in QuickJS, never in Node, and
 * keeps its own copies of what it needs, because a definition may replace anything.
 */
import { contentsOf } from '../pipeline/functions.ts';
import * as words from '../pipeline/index.ts';
import { ProblemError, type Problem } from '../std/problem.ts';

const { stringify } = JSON;
const { defineProperty } = Object;
const { isArray } = Array;
const text = String;

const pureHelp =
  'A definition is a pure function of the commit. Use handles (date, timestamp, sha, parameters) for what a run knows, and do the rest inside the function of a step.';

function impure(what: string): never {
  throw new ProblemError({
    code: 'definition-impure',
    message: `${what} is not there while a pipeline is defined`,
    where: null,
    help: pureHelp,
  });
}

/** Throws as soon as anything of it is used; what the language itself asks for on an import passes. */
function refusing(use: () => never): object {
  const quiet = (key: string | symbol): boolean =>
    typeof key === 'symbol' || key === '__esModule' || key === 'prototype';
  return new Proxy(function refused() {}, {
    get: (_target, key) => (quiet(key) ? undefined : use()),
    apply: use,
    construct: use,
    set: use,
    has: (_target, key) => (quiet(key) ? false : use()),
    // The bundler makes namespaces with the package as their prototype: their names come here.
    getPrototypeOf: () => null,
  });
}

function packageStub(name: string): object {
  const use = (): never => {
    throw new ProblemError({
      code: 'definition-impure',
      message: `the package "${name}" is used while the pipeline is defined`,
      where: null,
      help: 'On the server there are no packages. Use it inside the function of a step: the runner has the real one.',
    });
  };
  const stub = refusing(use);
  const names = new Proxy(
    {},
    { get: (_target, key) => (typeof key === 'symbol' || key === '__esModule' ? undefined : use()) },
  );
  return new Proxy(stub, { getPrototypeOf: () => names, ownKeys: () => ['prototype'] });
}

function hide(owner: object, name: string, value: unknown): void {
  defineProperty(owner, name, { value, writable: true, configurable: true, enumerable: false });
}

function nothing(): void {}

function purify(): void {
  for (const name of ['Date', 'eval', 'Function'])
    hide(
      globalThis,
      name,
      refusing(() => impure(name)),
    );
  hide(Math, 'random', () => impure('Math.random'));
  const functions = [nothing, async () => {}, function* empty() {}, async function* empty() {}];
  for (const sample of functions)
    hide(
      Object.getPrototypeOf(sample),
      'constructor',
      refusing(() => impure('Function')),
    );
  for (const name of ['SharedArrayBuffer', 'Atomics', 'WeakRef', 'FinalizationRegistry'])
    Reflect.deleteProperty(globalThis, name);
  hide(globalThis, 'console', { log: nothing, info: nothing, warn: nothing, error: nothing, debug: nothing });
}

/** Only what tells the place: a stack is longer than a step, and all of it counts against the size of the definition. */
function shortStacks(stacks: ReadonlyMap<string, string>): Record<string, string> {
  const short: Record<string, string> = {};
  for (const [step, stack] of stacks)
    short[step] = (stack.match(/definition\.js:\d+:\d+/g) ?? []).slice(0, 6).join(' ');
  return short;
}

/** JSON for the host: `{ definition, stack, stacks }`, or `{ missing }` where the file exports no pipeline. */
function finish(exports: unknown): string {
  const exported: unknown =
    typeof exports === 'object' && exports !== null && 'default' in exports ? exports.default : undefined;
  const contents = contentsOf(exported);
  if (contents === null)
    return stringify({ missing: exported === undefined ? 'none' : isArray(exported) ? 'a list' : typeof exported });
  const { definition, stack, stacks } = contents;
  return stringify({ definition, stack, ...(stacks === undefined ? {} : { stacks: shortStacks(stacks) }) }) ?? '{}';
}

/** JSON for the host about anything that was thrown: `{ problem, name, message, stack }`. */
function describe(thrown: unknown): string {
  const read = (key: string): string => {
    try {
      const value: unknown = Reflect.get(Object(thrown), key);
      return typeof value === 'string' ? value.slice(0, key === 'stack' ? 8000 : 500) : '';
    } catch {
      return '';
    }
  };
  let problem: Problem | null = null;
  let shown = '';
  try {
    if (thrown instanceof ProblemError) {
      const { code, message, help } = thrown.problem;
      problem = { code, message: text(message).slice(0, 1000), help: text(help).slice(0, 1000), where: null };
    }
    shown = text(thrown).slice(0, 400);
  } catch {
    shown = 'a value that cannot be shown';
  }
  return stringify({ problem, name: read('name'), message: read('message'), stack: read('stack'), shown });
}

/** Gives the two to the host, which asks before the definition begins, and is gone. */
function host(): { readonly finish: typeof finish; readonly describe: typeof describe } {
  Reflect.deleteProperty(globalThis, 'contender:host');
  return { finish, describe };
}

hide(globalThis, 'contender:words', { ...words, packageStub });
hide(globalThis, 'contender:host', host);
purify();

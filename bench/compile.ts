/**
 * Compile of a pipeline of fifty steps: the first of a new process (from the making of the compiler on, its modules
 * loaded), the first after the sandbox rested, and a changed file in a warm one.
 */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type * as Compilers from '../src/compile/compiler.ts';
import type { Compiler, SourceFiles } from '../src/compile/compile.ts';
import { median, medianMs, round, timed, type BenchOptions } from './measure.ts';
import { largePipeline } from './pipelines.ts';

/** What is installed is the built package, which loads faster: measured where it was built. */
const built = 'dist/src/compile/compiler.js';
const source = existsSync(built) ? built : 'src/compile/compiler.ts';

export async function benchCompile({ say, repetitions }: BenchOptions): Promise<void> {
  const cold = Array.from({ length: repetitions }, () =>
    Number(execFileSync(process.execPath, [fileURLToPath(import.meta.url), 'cold'], { encoding: 'utf8' })),
  );
  const { createCompiler } = await loadCompilers();
  const rested = await medianMs(repetitions, () => compileAnew(createCompiler));
  const compiler = await createCompiler();
  await compileOne(compiler);
  const warm = await medianMs(repetitions * 4, () => compileOne(compiler));
  await compiler.close();
  say({
    workload: 'compile-50-steps',
    cold_ms: round(median(cold)),
    rested_ms: round(rested),
    warm_ms: round(warm),
    process_ms: round(await medianMs(repetitions, greet)),
    target_cold_ms: 60,
    target_warm_ms: 15,
  });
}

async function loadCompilers(): Promise<typeof Compilers> {
  // The build of the very module that the type names.
  return (await import(pathToFileURL(source).href)) as typeof Compilers;
}

async function compileAnew(createCompiler: typeof Compilers.createCompiler): Promise<number> {
  let compiler: Compiler | null = null;
  const ms = await timed(async () => {
    compiler = await createCompiler();
    await compileOne(compiler);
  });
  await (compiler as Compiler | null)?.close();
  return ms;
}

/** From the start of a process to its first word: less than this nothing takes that a process of its own evaluates. */
function greet(): Promise<number> {
  return timed(async () => {
    const child = spawn(process.execPath, ['-e', "process.send('here')"], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
    });
    await once(child, 'message');
    child.disconnect();
  });
}

let salt = 0;

function compileOne(compiler: Compiler): Promise<number> {
  salt += 1;
  const path = '.pipelines/large.ts';
  const contents = new Map([[path, new TextEncoder().encode(largePipeline(salt))]]);
  const files: SourceFiles = {
    list: () => Promise.resolve([{ path, bytes: 0 }]),
    read: () => Promise.resolve(contents),
  };
  return timed(async () => {
    const [compiled] = await compiler.compile(files);
    if (compiled?.version?.definition.steps.length !== 50) throw new Error(JSON.stringify(compiled?.problems));
  });
}

if (process.argv[2] === 'cold') {
  const { createCompiler } = await loadCompilers();
  process.stdout.write(String(await compileAnew(createCompiler)));
}

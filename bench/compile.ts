/** Compile of a pipeline of fifty steps: the first of a process, and a changed file in a warm one. */
import { createCompiler } from '../src/compile/compiler.ts';
import type { SourceFiles } from '../src/compile/compile.ts';
import { medianMs, round, say, timed, type BenchOptions } from './measure.ts';
import { largePipeline } from './pipelines.ts';

function filesOf(text: string): SourceFiles {
  const path = '.pipelines/large.ts';
  const contents = new Map([[path, new TextEncoder().encode(text)]]);
  return { list: () => Promise.resolve([path]), read: () => Promise.resolve(contents) };
}

export async function benchCompile({ repetitions }: BenchOptions): Promise<void> {
  let salt = 0;
  const compileOne = async (compiler: Awaited<ReturnType<typeof createCompiler>>): Promise<number> => {
    salt += 1;
    const files = filesOf(largePipeline(salt));
    return timed(async () => {
      const [compiled] = await compiler.compile(files);
      if (compiled?.version?.definition.steps.length !== 50) throw new Error(JSON.stringify(compiled?.problems));
    });
  };
  const cold = await medianMs(repetitions, async () => {
    const compiler = await createCompiler();
    const ms = await compileOne(compiler);
    await compiler.close();
    return ms;
  });
  const compiler = await createCompiler();
  await compileOne(compiler);
  const warm = await medianMs(repetitions * 4, () => compileOne(compiler));
  await compiler.close();
  say({
    workload: 'compile-50-steps',
    cold_ms: round(cold),
    warm_ms: round(warm),
    target_cold_ms: 60,
    target_warm_ms: 15,
  });
}

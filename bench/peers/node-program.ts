/** A peer whose workloads are a program of Node: the `program.ts` beside it, with the packages that were installed. */
import { join } from 'node:path';
import type { Ground } from '../ground.ts';
import type { Subject } from '../subject.ts';

/** `given`: arguments of the program. */
export async function openNodeProgram(
  ground: Ground,
  folder: string,
  installed: string,
  given: readonly string[],
): Promise<Subject> {
  const program = await ground.compile(join(folder, 'program.ts'), join(installed, 'node_modules'));
  const conversation = await ground.converse({ program: process.execPath, arguments: [program, ...given] });
  return { roots: ground.roots, run: (workload) => conversation.ask(workload) };
}

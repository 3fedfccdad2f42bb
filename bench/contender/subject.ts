/** Contender as a subject: steps as functions or as commands, the journal in SQLite or in PostgreSQL. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { unreachable } from '../../src/std/unreachable.ts';
import { createRepository, type TestRepository } from '../../test/support/test-system.ts';
import type { Ground } from '../ground.ts';
import { chainOf, clockOf, fanOf, type StepKind } from '../pipelines.ts';
import { nameOf, type Subject, type Workload } from '../subject.ts';
import type { RunRequest } from './program.ts';

export type Store = 'SQLite' | 'PostgreSQL';

/** Attempts at once, the same for everybody who is measured. */
export const slots = 8;

/** What is installed is the built package, which needs less memory: measured where it was built. */
const built = 'dist/src';
export const isBuilt = existsSync(built);

/** As the image starts it. */
export const nodeOptions = /^ENV NODE_OPTIONS=(.*)$/m.exec(readFileSync('Dockerfile', 'utf8'))?.[1] ?? '';

export interface ContenderSubject {
  of(kind: StepKind): Subject;
  /** The process that a server would be. */
  readonly serverPid: number;
}

export async function openContender(ground: Ground, store: Store): Promise<ContenderSubject> {
  const repository = createRepository();
  ground.adopt(repository.folder);
  writeFileSync(
    join(repository.folder, 'contender.yaml'),
    `repositories: [{ url: . }]\nexecutor: { slots: ${slots} }\n`,
  );
  const environment = { CONTENDER_DATABASE_URL: store === 'SQLite' ? '' : await ground.postgres() };
  const program = await ground.compile(join(import.meta.dirname, 'program.ts'), null);
  const conversation = await ground.converse({
    program: process.execPath,
    arguments: [program, repository.folder, resolve(isBuilt ? built : 'src')],
    environment: { ...environment, NODE_OPTIONS: nodeOptions },
  });
  const requests = new Map<string, RunRequest>();
  return {
    of: (kind) => ({
      roots: ground.roots,
      run(workload) {
        const name = `${nameOf(workload)}-${kind}`;
        const request = requests.get(name) ?? commit(repository, name, kind, workload);
        requests.set(name, request);
        return conversation.ask(request);
      },
    }),
    serverPid: ground.roots.at(-1) ?? 0,
  };
}

function commit(repository: TestRepository, name: string, kind: StepKind, workload: Workload): RunRequest {
  const sha = repository.commit(name, { [`.pipelines/${name}.ts`]: sourceOf(name, kind, workload) });
  const runs = workload.shape === 'burst' ? workload.runs : 1;
  return { pipeline: name, sha, runs, trigger: workload.shape === 'trigger' };
}

function sourceOf(name: string, kind: StepKind, workload: Workload): string {
  switch (workload.shape) {
    case 'chain':
    case 'burst':
      return chainOf(name, kind, workload.steps);
    case 'fan':
      return fanOf(name, kind, workload.steps);
    case 'trigger':
      return clockOf(name);
    default:
      return unreachable(workload);
  }
}

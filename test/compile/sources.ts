/** Commits for the tests of the compiler: files by path. */
import type { Compiled, SourceFiles } from '../../src/compile/compile.ts';

export interface RecordedSource extends SourceFiles {
  /** Paths that were read, in order. */
  readonly asked: string[];
}

export function commitOf(files: Readonly<Record<string, string | Uint8Array>>): RecordedSource {
  const asked: string[] = [];
  const encoder = new TextEncoder();
  return {
    asked,
    list: async (folder) =>
      Object.entries(files).flatMap(([path, content]) =>
        folder === '' || path.startsWith(`${folder}/`) ? [{ path, bytes: Buffer.byteLength(content) }] : [],
      ),
    read: async (paths) => {
      asked.push(...paths);
      const found = new Map<string, Uint8Array>();
      for (const path of paths) {
        const content = files[path];
        if (content !== undefined) found.set(path, typeof content === 'string' ? encoder.encode(content) : content);
      }
      return found;
    },
  };
}

/** The words, and a pipeline around `body`. */
export function pipelineFile(body: string, name = 'example'): string {
  return `import { branch, challenge, container, gate, group, map, pipeline, shortCircuit, step, waitFor } from 'contender';
export default pipeline('${name}', {}, ({ date, sha, parameters }) => {
${body}
});
`;
}

/** A file that compiles. */
export const goodFile = pipelineFile(`step('hello', { command: ['echo', 'hello'] });`, 'good');

/** The problems of all files as `file:line:column code`. */
export function placesOf(compiled: readonly Compiled[]): readonly string[] {
  return compiled.flatMap(({ problems }) =>
    problems.map(({ code, where }) => `${where?.file ?? '?'}:${where?.line ?? 0}:${where?.column ?? 0} ${code}`),
  );
}

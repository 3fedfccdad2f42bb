/**
 * Who listens to data: the pipelines of the newest commit of each default branch. A dataset counts from the moment at which
 * a pipeline was first seen to listen to it; one whose file is broken for a while goes on listening.
 */
import type { DataListener, Journal, Write } from '../../journal/journal.ts';
import type { PipelineDefinition } from '../../pipeline/definition.ts';

/** Notes who listens at the head now. `broken`: pipelines of which nobody can tell. */
export async function noteListeners(
  journal: Journal,
  repository: string,
  definitions: Iterable<PipelineDefinition>,
  broken: ReadonlySet<string>,
  at: number,
): Promise<void> {
  const known = Map.groupBy(await journal.dataListeners(repository), ({ pipeline }) => pipeline);
  const wanted = new Map<string, readonly string[]>();
  for (const { name, on } of definitions) if (on.data !== undefined) wanted.set(name, on.data.datasets);
  const writes = [...new Set([...known.keys(), ...wanted.keys()])].flatMap((pipeline): readonly Write[] => {
    const before = (known.get(pipeline) ?? []).map(({ dataset }: DataListener) => dataset);
    const now = wanted.get(pipeline) ?? [];
    if (now.length === 0 && broken.has(pipeline)) return [];
    const add = now.filter((dataset) => !before.includes(dataset));
    const remove = before.filter((dataset) => !now.includes(dataset));
    if (add.length + remove.length === 0) return [];
    return [{ write: 'data-listening', repository, pipeline, add, remove, at }];
  });
  if (writes.length > 0) await journal.commit([writes]);
}

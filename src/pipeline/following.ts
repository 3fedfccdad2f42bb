/**
 * Which pipelines of a commit follow which: by the end of a run, or by a dataset that a step of the one updates and the
 * other listens to.
 */
import type { EndTrigger, PipelineDefinition } from './definition.ts';

export interface Following {
  readonly from: string;
  readonly to: string;
  readonly by: EndTrigger | { readonly dataset: string };
  /** Each time: nothing else has to happen as well. */
  readonly suffices: boolean;
}

/** In the order of the definitions. */
export function followingsOf(definitions: readonly PipelineDefinition[]): readonly Following[] {
  return definitions.flatMap(({ name: to, on }): readonly Following[] => {
    const ends = (on.pipelines ?? []).map((by) => ({ from: by.name, to, by, suffices: true }));
    const { datasets = [], when = 'all' } = on.data ?? {};
    const suffices = when === 'any' || datasets.length === 1;
    const updated = datasets.flatMap((dataset) =>
      definitions
        .filter(({ steps }) => steps.some(({ updates = [] }) => updates.some((each) => each.dataset === dataset)))
        .map(({ name: from }) => ({ from, to, by: { dataset }, suffices })),
    );
    return [...ends, ...updated];
  });
}

/** The shortest way from a pipeline back to itself, each named once; null where there is none. */
export function circleOf(name: string, followings: readonly Following[]): readonly string[] | null {
  const ways: string[][] = [[name]];
  const seen = new Set<string>();
  for (const way of ways) {
    for (const { from, to, suffices } of followings) {
      if (from !== way.at(-1) || !suffices || seen.has(to)) continue;
      if (to === name) return way;
      seen.add(to);
      ways.push([...way, to]);
    }
  }
  return null;
}

/** Sentences about one pipeline: what it follows, and what follows it. */
export function followingSentences(name: string, followings: readonly Following[]): readonly string[] {
  return [
    ...followings.filter(({ to }) => to === name).map(({ from, by }) => `follows ${from}: ${byText(by)}`),
    ...followings.filter(({ from }) => from === name).map(({ to, by }) => `is followed by ${to}: ${byText(by)}`),
  ];
}

function byText(by: Following['by']): string {
  if ('dataset' in by) return `it updates ${by.dataset}`;
  const where = by.branches.length === 0 ? 'the default branch' : by.branches.join(', ');
  return `${by.states.join(' or ')} on ${where}`;
}

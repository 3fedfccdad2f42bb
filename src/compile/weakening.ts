/**
 * Does a change let more through than before? Gates, approvals and challenges protect what is in production; whoever changes one of
 * them has to be seen. Each sentence says what became weaker, with both values.
 */
import { viewOf } from '../pipeline/binding-view.ts';
import type { ChallengeWork, GateCheck, GateWork, PipelineDefinition, StepDefinition } from '../pipeline/definition.ts';
import { podPlaceWords } from '../pipeline/pod.ts';
import { unreachable } from '../std/unreachable.ts';

/** From the strictest to the loosest. */
const policies = ['never', 'on-approval', 'on-merge', 'automatic'] as const;
const lowerIsBetter: ReadonlySet<string> = new Set(['log_loss', 'brier', 'mae', 'rmse']);

/** Sentences about the gates, approvals and challenges of `base` that `head` weakens. */
export function weakenings(base: PipelineDefinition, head: PipelineDefinition): readonly string[] {
  return [...base.steps.flatMap((step) => weakenedStep(step, head)), ...lostProtections(base, head)];
}

function weakenedStep(step: StepDefinition, head: PipelineDefinition): readonly string[] {
  const { name, work } = step;
  const after = head.steps.find((candidate) => candidate.name === name);
  const other = after?.work;
  if (work.kind === 'approval') return other?.kind === 'approval' ? [] : [`the approval "${name}" is gone`];
  if (work.kind !== 'gate' && work.kind !== 'challenge') return [];
  const pods = after?.work.kind === work.kind ? changedPod(step, after) : [];
  if (work.kind === 'gate') {
    return other?.kind === 'gate' ? [...weakenedGate(name, work, other), ...pods] : [`the gate "${name}" is gone`];
  }
  return other?.kind === 'challenge'
    ? [...weakenedChallenge(name, work, other), ...pods]
    : [`the challenge "${name}" is gone`];
}

/** Whoever chooses the image of a gate, or what is mounted into it, chooses what it finds. */
function changedPod(base: StepDefinition, head: StepDefinition): readonly string[] {
  const [before, after] = [wordsOf(base), wordsOf(head)];
  const changed = [...new Set([...before.keys(), ...after.keys()])].filter(
    (word) => !podPlaceWords.has(word) && before.get(word) !== after.get(word),
  );
  return changed.length === 0 ? [] : [`${base.work.kind} "${base.name}": its pod has another ${changed.join(', ')}`];
}

function wordsOf({ pod }: StepDefinition): ReadonlyMap<string, string> {
  const view = pod === undefined ? null : viewOf(pod);
  if (view?.kind !== 'record') return new Map();
  return new Map([...view.fields].map(([word, value]) => [word, JSON.stringify(value)]));
}

function weakenedGate(name: string, base: GateWork, head: GateWork): readonly string[] {
  return base.checks.flatMap((check) => {
    const label = `gate "${name}", ${labelOf(check)}`;
    const other = head.checks.find((candidate) => labelOf(candidate) === labelOf(check));
    return other === undefined ? [`${label}: the check is gone`] : weakenedCheck(label, check, other);
  });
}

/** What the check is about; its limits may change, and it stays the same check. */
function labelOf(check: GateCheck): string {
  switch (check.check) {
    case 'rows':
      return 'number of rows';
    case 'nulls':
      return 'share of empty values';
    case 'label':
      return `share of "${check.positive}" in ${check.column}`;
    case 'range':
      return `range of ${check.column}`;
    case 'unique':
      return `uniqueness of ${check.columns.join(', ')}`;
    case 'columns':
      return 'columns that have to be there';
    default:
      return unreachable(check);
  }
}

/** Both are about the same. */
function weakenedCheck(label: string, base: GateCheck, head: GateCheck): readonly string[] {
  if ('min' in base && 'min' in head)
    return [...lowered(`${label}: min`, base.min, head.min), ...raised(`${label}: max`, base.max, head.max)];
  if (base.check === 'nulls' && head.check === 'nulls') {
    return [...raised(`${label}: max`, base.max, head.max), ...fewer(`${label}: columns`, base.columns, head.columns)];
  }
  if (base.check === 'columns' && head.check === 'columns') return fewer(label, base.names, head.names);
  return [];
}

function weakenedChallenge(name: string, base: ChallengeWork, head: ChallengeWork): readonly string[] {
  const label = `challenge "${name}"`;
  if (base.metric !== head.metric) return [`${label}: it measures ${head.metric} and no longer ${base.metric}`];
  const threshold = lowerIsBetter.has(base.metric) ? raised : lowered;
  const guardrails = base.guardrails.flatMap((guardrail) => {
    const other = head.guardrails.find(({ metric }) => metric === guardrail.metric);
    const what = `${label}: guardrail ${guardrail.metric}`;
    return other === undefined ? [`${what} is gone`] : raised(`${what}: maxLoss`, guardrail.maxLoss, other.maxLoss);
  });
  return [
    ...threshold(`${label}: threshold`, base.threshold, head.threshold),
    ...lowered(`${label}: minAbsoluteChange`, base.minAbsoluteChange, head.minAbsoluteChange),
    ...lowered(`${label}: minRelativeChange`, base.minRelativeChange, head.minRelativeChange),
    ...lowered(`${label}: confidence`, base.confidence, head.confidence),
    ...guardrails,
    ...(policies.indexOf(head.promote) > policies.indexOf(base.promote)
      ? [`${label}: it promotes ${head.promote} and no longer ${base.promote}`]
      : []),
  ];
}

/** Steps that came after a gate or an approval, however far, and no longer do. */
function lostProtections(base: PipelineDefinition, head: PipelineDefinition): readonly string[] {
  const after = protectorsOf(head);
  const kinds = new Map(base.steps.map(({ name, work }) => [name, work.kind]));
  const present = new Set(head.steps.map(({ name }) => name));
  return [...protectorsOf(base)].flatMap(([name, before]) => {
    if (!present.has(name)) return [];
    const lost = [...before].filter((protector) => present.has(protector) && after.get(name)?.has(protector) !== true);
    return lost.map((protector) => `step "${name}" no longer comes after the ${kinds.get(protector)} "${protector}"`);
  });
}

/** For each step the gates and approvals before it. Edges only point backwards, so one pass is enough. */
function protectorsOf(definition: PipelineDefinition): ReadonlyMap<string, ReadonlySet<string>> {
  const protectors = new Map<string, ReadonlySet<string>>();
  const protecting = definition.steps.filter(({ work }) => work.kind === 'gate' || work.kind === 'approval');
  const names = new Set(protecting.map(({ name }) => name));
  for (const { name, upstream } of definition.steps) {
    const before = upstream.flatMap((step) => [...(protectors.get(step) ?? []), ...(names.has(step) ? [step] : [])]);
    protectors.set(name, new Set(before));
  }
  return protectors;
}

function lowered(label: string, base: number | null, head: number | null): readonly string[] {
  if (base === null || (head !== null && head >= base)) return [];
  return [head === null ? `${label} ${base} is gone` : `${label} fell from ${base} to ${head}`];
}

function raised(label: string, base: number | null, head: number | null): readonly string[] {
  if (base === null || (head !== null && head <= base)) return [];
  return [head === null ? `${label} ${base} is gone` : `${label} rose from ${base} to ${head}`];
}

/** Null is every column. */
function fewer(label: string, base: readonly string[] | null, head: readonly string[] | null): readonly string[] {
  if (head === null) return [];
  if (base === null) return [`${label}: only ${head.join(', ')} and no longer all`];
  const gone = base.filter((column) => !head.includes(column));
  return gone.length === 0 ? [] : [`${label}: no longer ${gone.join(', ')}`];
}

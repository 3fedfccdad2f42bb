/**
 * Does a change let more through than before? Gates, approvals and challenges protect what is in production; whoever changes one of
 * them has to be seen. Each sentence says what became weaker, with both values.
 */
import { viewOf } from '../pipeline/binding-view.ts';
import type {
  ApprovalWork,
  ChallengeWork,
  GateCheck,
  GateWork,
  PipelineDefinition,
  PromotionPolicy,
  StepDefinition,
  TriggerRule,
} from '../pipeline/definition.ts';
import { podPlaceWords } from '../pipeline/pod.ts';
import { unreachable } from '../std/unreachable.ts';

/** From the strictest, 0, to the loosest: `automatic` is another word for `on-merge`. */
const looseness: { readonly [policy in PromotionPolicy]: number } = {
  never: 0,
  'on-approval': 1,
  'on-merge': 2,
  automatic: 2,
};
/** By these a step does not run where a gate before it has failed. */
const heedingRules: ReadonlySet<TriggerRule> = new Set(['all_success', 'none_failed', 'none_failed_min_one_success']);
const lowerIsBetter: ReadonlySet<string> = new Set(['log_loss', 'brier', 'mae', 'rmse']);

/** Sentences about the gates, approvals and challenges of `base` that `head` weakens. */
export function weakenings(base: PipelineDefinition, head: PipelineDefinition): readonly string[] {
  const after = new Map(head.steps.map((step) => [step.name, step]));
  return [
    ...base.steps.flatMap((step) => weakenedStep(step, after.get(step.name))),
    ...looserBeside(base, head),
    ...lostProtections(base, head),
  ];
}

/** Any challenge of a model may promote to it: a new one lets through what each that was there would not. */
function looserBeside(base: PipelineDefinition, head: PipelineDefinition): readonly string[] {
  const before = challengesOf(base);
  const modelOf = new Map(before.map(({ name, work }) => [name, work.model]));
  return challengesOf(head).flatMap(({ name, work }) => {
    const others = before.filter((other) => other.work.model === work.model);
    if (others.length === 0 || modelOf.get(name) === work.model || work.promote === 'never') return [];
    const looser = others.map((other) => weakenedChallenge(name, other.work, work));
    return looser.reduce((least, each) => (each.length < least.length ? each : least));
  });
}

function challengesOf({
  steps,
}: PipelineDefinition): readonly { readonly name: string; readonly work: ChallengeWork }[] {
  return steps.flatMap(({ name, work }) => (work.kind === 'challenge' ? [{ name, work }] : []));
}

function weakenedStep(step: StepDefinition, after: StepDefinition | undefined): readonly string[] {
  const { name, work } = step;
  const other = after?.work;
  if (work.kind === 'approval')
    return other?.kind === 'approval' ? weakenedApproval(name, work, other) : [`the approval "${name}" is gone`];
  if (work.kind !== 'gate' && work.kind !== 'challenge') return [];
  const pods = after?.work.kind === work.kind ? changedPod(step, after) : [];
  if (work.kind === 'gate') {
    return other?.kind === 'gate' ? [...weakenedGate(name, work, other), ...pods] : [`the gate "${name}" is gone`];
  }
  return other?.kind === 'challenge'
    ? [...weakenedChallenge(name, work, other), ...pods]
    : [`the challenge "${name}" is gone`];
}

/** What is skipped lets those go on whose rule minds failures alone. */
function weakenedApproval(name: string, base: ApprovalWork, head: ApprovalWork): readonly string[] {
  const label = `approval "${name}"`;
  return [
    ...(base.onReject === 'fail' && head.onReject === 'skip'
      ? [`${label}: who rejects it skips, and fails no more`]
      : []),
    ...(!base.softFail && head.softFail ? [`${label}: where nobody decides it skips, and fails no more`] : []),
  ];
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
  const data = JSON.stringify(base.data) === JSON.stringify(head.data) ? [] : [`gate "${name}": it reads other data`];
  // Of several about the same, the first.
  const now = new Map(head.checks.map((check) => [labelOf(check), check] as const).toReversed());
  const checks = base.checks.flatMap((check) => {
    const about = labelOf(check);
    const label = `gate "${name}", ${about}`;
    const other = now.get(about);
    return other === undefined ? [`${label}: the check is gone`] : weakenedCheck(label, check, other);
  });
  return [...data, ...checks];
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
  const isSameMetric = base.metric === head.metric;
  const threshold = lowerIsBetter.has(base.metric) ? raised : lowered;
  const guardrails = base.guardrails.flatMap((guardrail) => {
    const other = head.guardrails.find(({ metric }) => metric === guardrail.metric);
    const what = `${label}: guardrail ${guardrail.metric}`;
    return other === undefined ? [`${what} is gone`] : raised(`${what}: maxLoss`, guardrail.maxLoss, other.maxLoss);
  });
  const measured = (['score', 'predictions'] as const).filter(
    (field) => JSON.stringify(base[field]) !== JSON.stringify(head[field]),
  );
  return [
    ...(base.model === head.model ? [] : [`${label}: it is for ${head.model} and no longer for ${base.model}`]),
    ...(isSameMetric ? [] : [`${label}: it measures ${head.metric} and no longer ${base.metric}`]),
    ...(measured.length === 0 ? [] : [`${label}: it is measured by other ${measured.join(' and other ')}`]),
    // In the unit of the metric: of two metrics, nothing can be said but that there is none any more.
    ...(isSameMetric || head.threshold === null
      ? threshold(`${label}: threshold`, base.threshold, head.threshold)
      : []),
    ...(isSameMetric || head.minAbsoluteChange === 0
      ? lowered(`${label}: minAbsoluteChange`, base.minAbsoluteChange, head.minAbsoluteChange)
      : []),
    ...lowered(`${label}: minRelativeChange`, base.minRelativeChange, head.minRelativeChange),
    ...lowered(`${label}: confidence`, base.confidence, head.confidence),
    ...guardrails,
    ...(looseness[head.promote] > looseness[base.promote]
      ? [`${label}: it promotes ${head.promote} and no longer ${base.promote}`]
      : []),
  ];
}

/** Of what one step no longer comes after, each has a sentence up to here. */
const lostPerStepMax = 10;

/** Steps that came after a gate or an approval, however far, and no longer do, or run whatever became of it. */
function lostProtections(base: PipelineDefinition, head: PipelineDefinition): readonly string[] {
  const present = new Map(head.steps.map((step) => [step.name, step]));
  const protecting = base.steps.filter(
    ({ name, work }) => (work.kind === 'gate' || work.kind === 'approval') && present.has(name),
  );
  const bits = new Map(protecting.map(({ name }, index) => [name, 1n << BigInt(index)]));
  const [before, after] = [protectorsOf(base, bits), protectorsOf(head, bits)];
  return base.steps.flatMap((step) => {
    const { name } = step;
    const now = present.get(name);
    const protectors = before.get(name) ?? 0n;
    if (now === undefined || protectors === 0n) return [];
    const lost = protectors & ~(after.get(name) ?? 0n);
    const left =
      lost === 0n
        ? []
        : lostSentences(
            name,
            protecting.filter((each) => has(lost, bits.get(each.name))),
          );
    const heeds = !isHeeding(step) || isHeeding(now) || lost === protectors;
    return heeds ? left : [...left, `step "${name}" runs whatever becomes of what it comes after (${ruleOf(now)})`];
  });
}

function has(set: bigint, bit: bigint | undefined): boolean {
  return bit !== undefined && (set & bit) !== 0n;
}

function lostSentences(step: string, lost: readonly StepDefinition[]): readonly string[] {
  const each = lost.slice(0, lostPerStepMax);
  const sentences = each.map(({ name, work }) => `step "${step}" no longer comes after the ${work.kind} "${name}"`);
  const more = lost.length - each.length;
  return more === 0
    ? sentences
    : [...sentences, `step "${step}" no longer comes after ${more} more gates and approvals`];
}

function isHeeding(step: StepDefinition): boolean {
  return !step.finally && heedingRules.has(step.triggerRule);
}

function ruleOf(step: StepDefinition): string {
  return step.finally ? 'finally' : step.triggerRule;
}

/**
 * For each step those of `bits` that come before it, as a set of their bits: of a thousand steps with five thousand edges, lists
 * would have millions of names. Edges only point backwards, so one pass is enough.
 */
function protectorsOf(definition: PipelineDefinition, bits: ReadonlyMap<string, bigint>): ReadonlyMap<string, bigint> {
  const protectors = new Map<string, bigint>();
  for (const { name, upstream } of definition.steps) {
    const before = upstream.reduce((set, step) => set | (protectors.get(step) ?? 0n) | (bits.get(step) ?? 0n), 0n);
    protectors.set(name, before);
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
  const left = new Set(head);
  const gone = base.filter((column) => !left.has(column));
  return gone.length === 0 ? [] : [`${label}: no longer ${gone.join(', ')}`];
}

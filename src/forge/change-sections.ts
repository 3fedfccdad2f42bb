/** What a pull request does to pipelines, as Markdown blocks: what lets more through stands open, the rest folds where it is long. */
import { text, type Block } from './blocks.ts';
import { inline } from './escape.ts';
import type { ChangesReport, PipelineChange, RunReport } from './forge.ts';

/** Room for the longest name of a step, a place, and a value before and after. */
const sentenceCharactersMax = 500;
const weakenedMax = 20;
/** A list that is longer is folded. */
const openMax = 5;

/** Of the pipeline that the report is about. */
export function weakenedSection({ change }: RunReport): readonly Block[] {
  return weakenedBlocks(change?.weakened ?? [], sentenceText);
}

export function changeSection({ change }: RunReport): readonly Block[] {
  if (change === null) return [];
  if (change.kind === 'unknown')
    return [text('What this pull request changes in the pipeline is not known: its base could not be read.')];
  const title = change.kind === 'added' ? 'A new pipeline' : 'What changes in the pipeline';
  return [text(`#### ${title}`), ...sentencesOf(change)];
}

/** Of all pipelines that have no report of their own. */
export function changesSections({ changes }: ChangesReport): readonly Block[] {
  if (changes.length === 0)
    return [text('This pull request changes no pipeline any more but those that report on it themselves.')];
  const weakened = changes.flatMap((change) =>
    change.weakened.map((sentence) => ({ pipeline: change.pipeline, sentence })),
  );
  return [
    text('They do not run on it, so nothing else here speaks of them.'),
    ...weakenedBlocks(weakened, ({ pipeline, sentence }) => `**${inline(pipeline)}**: ${sentenceText(sentence)}`),
    ...changes.flatMap((change) => [
      text(`#### ${inline(change.pipeline)}: ${kindWords[change.kind]}`),
      ...sentencesOf(change),
    ]),
  ];
}

const kindWords: Readonly<Record<PipelineChange['kind'], string>> = {
  added: 'new',
  removed: 'gone',
  changed: 'changed',
  unknown: 'what it was before could not be read',
};

/** Only what is shown becomes text. */
function weakenedBlocks<T>(weakened: readonly T[], textOf: (one: T) => string): readonly Block[] {
  if (weakened.length === 0) return [];
  const left = weakened.length - weakenedMax;
  const rest = left > 0 ? [text(`… and ${left} more like these.`)] : [];
  return [
    text('#### ‼ Weakened: these may let more through than before'),
    { kind: 'list', items: weakened.slice(0, weakenedMax).map(textOf) },
    ...rest,
  ];
}

function sentencesOf({ sentences, count }: PipelineChange): readonly Block[] {
  if (count === 0) return [];
  const items = sentences.map(sentenceText);
  if (count > items.length) items.push(`… and ${count - items.length} more.`);
  return [items.length > openMax ? { kind: 'details', summary: `${count} changes`, items } : { kind: 'list', items }];
}

function sentenceText(sentence: string): string {
  return inline(sentence, sentenceCharactersMax);
}

/** A report in the words of a forge: one line for the status, a sticky comment, and a check run with its annotations. */
import type { Place, Problem } from '../std/problem.ts';
import { unreachable } from '../std/unreachable.ts';
import { fitBlocks, text, type Block } from './blocks.ts';
import { changeSection, changesSections, weakenedSection } from './change-sections.ts';
import { cutCharacters, neutral, plainLine, plainLines } from './escape.ts';
import { forgeLimits, type ChangesReport, type CommentReport, type RunReport } from './forge.ts';
import {
  challengeSections,
  commitFooter,
  cutNotice,
  footer,
  gateSection,
  headline,
  nextSection,
  previously,
  problemSection,
  sentence,
  stateWords,
  stepSection,
} from './report-sections.ts';

/** The state of a commit status. What a change does not concern counts as passed: a required check must never hang. */
export function statusState(report: RunReport): 'pending' | 'success' | 'failure' | 'error' {
  switch (report.state) {
    case 'pending':
    case 'running':
    case 'waiting':
      return 'pending';
    case 'success':
    case 'neutral':
      return 'success';
    case 'failure':
      return 'failure';
    case 'error':
    case 'cancelled':
      return 'error';
    default:
      return unreachable(report.state);
  }
}

/** At most 140 characters, cut at a word. Without characters beyond the basic plane, which GitHub refuses in places. */
export function statusDescription(report: RunReport): string {
  const { word } = stateWords(report.state);
  const summary = plainLine(report.summary, 4 * forgeLimits.statusDescriptionMax).replace(
    /[\u{10000}-\u{10ffff}]/gu,
    '\ufffd',
  );
  const silent = `${word.charAt(0).toUpperCase()}${word.slice(1)}`;
  if (summary === '') return silent;
  // The commit status has no word of its own for these.
  const said = report.state === 'cancelled' && !/cancel/i.test(summary) ? `${silent}: ${summary}` : summary;
  return cutWords(said, forgeLimits.statusDescriptionMax);
}

/** Cuts before a word where one ends in the last third, else within the word. */
function cutWords(sentence: string, charactersMax: number): string {
  if (sentence.length <= charactersMax) return sentence;
  const kept = sentence.slice(0, charactersMax);
  const space = kept.lastIndexOf(' ');
  return space > (charactersMax * 2) / 3
    ? `${kept.slice(0, space).replace(/[ ,;:–-]+$/, '')}…`
    : cutCharacters(sentence, charactersMax);
}

/** Stands first in the sticky comment and is hidden by Markdown; another one for every pipeline, and one for those without. */
export function commentMarker(pipeline: string | null): string {
  if (pipeline === null) return '<!-- contender -->';
  // Nothing in a name may close the comment: `--` and `>` do.
  return `<!-- contender:${encodeURIComponent(pipeline.toWellFormed()).replaceAll('--', '-%2D')} -->`;
}

/** The sticky comment, below 60 000 bytes. `previous`: what the last one said. */
export function commentBody(report: CommentReport, previous: RunReport | null = null): string {
  if (report.pipeline === null) return changesBody(report);
  const blocks: readonly Block[] = [
    text(commentMarker(report.pipeline)),
    headline(report),
    ...sentence(report),
    ...previously(report, previous),
    ...weakenedSection(report),
    ...challengeSections(report),
    ...gateSection(report),
    ...stepSection(report),
    ...problemSection(report),
    ...nextSection(report),
    ...changeSection(report),
  ];
  return fitBlocks(blocks, [footer(report)], cutNotice(report.url), forgeLimits.commentBytesMax - 1);
}

function changesBody(report: ChangesReport): string {
  const title = text('### Pipelines that this pull request changes');
  const blocks = [text(commentMarker(null)), title, ...changesSections(report)];
  return fitBlocks(blocks, [commitFooter(report.sha)], cutNotice(null), forgeLimits.commentBytesMax - 1);
}

export interface CheckOutput {
  readonly title: string;
  readonly summary: string;
  readonly text: string;
  /** In the order of the problems, then of the mentions; sent in batches of `forgeLimits.annotationsPerRequestMax`. */
  readonly annotations: readonly Annotation[];
}

export interface Annotation {
  readonly path: string;
  readonly start_line: number;
  readonly end_line: number;
  readonly start_column: number;
  readonly end_column: number;
  readonly annotation_level: 'warning' | 'failure';
  readonly title: string;
  readonly message: string;
}

/** The title counts for the list of checks, the summary says what came out, the text why. */
export function checkOutput(report: RunReport): CheckOutput {
  const limit = forgeLimits.checkTextMax;
  const title = statusDescription(report);
  // A title that was cut, or says the state only, is no sentence yet.
  const said = title === report.summary ? [] : sentence(report);
  const summary = [...said, ...weakenedSection(report), ...challengeSections(report), ...nextSection(report)];
  const details = [...gateSection(report), ...stepSection(report), ...problemSection(report)];
  const level = report.state === 'failure' || report.state === 'error' ? 'failure' : 'warning';
  return {
    title,
    summary: fitBlocks(summary, [footer(report)], cutNotice(report.url), limit),
    text: details.length === 0 ? '' : fitBlocks(details, [], cutNotice(report.url), limit),
    annotations: [
      ...report.problems.flatMap((problem) => problemAnnotation(problem, level)),
      ...report.mentions.map(({ step, where, message }) =>
        annotation({ where, level: 'failure', title: neutral(plainLine(step)), message }),
      ),
    ].slice(0, forgeLimits.annotationsMax),
  };
}

function problemAnnotation(problem: Problem, level: Annotation['annotation_level']): readonly Annotation[] {
  const { code, where, message, help } = problem;
  if (where === null) return [];
  return [annotation({ where, level, title: code, message: help === '' ? message : `${message}\n${help}` })];
}

function annotation(said: {
  readonly where: Place;
  readonly level: Annotation['annotation_level'];
  readonly title: string;
  readonly message: string;
}): Annotation {
  const [line, column] = [Math.max(1, said.where.line), Math.max(1, said.where.column)];
  return {
    path: plainLine(said.where.file, 1000),
    start_line: line,
    end_line: line,
    start_column: column,
    end_column: column,
    annotation_level: said.level,
    title: said.title,
    message: neutral(cutCharacters(plainLines(said.message), 4000)),
  };
}

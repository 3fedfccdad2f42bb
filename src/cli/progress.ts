/** A run as it goes, in lines: one for each change of a step, then the verdict and the outcome. */
import type { Run, Step } from '../engine/run.ts';
import type { RunReport } from '../forge/forge.ts';
import { formatDuration } from '../std/duration.ts';
import { harmless, markOf, paint } from './terminal.ts';

export class ProgressLines {
  readonly #said = new Map<string, string>();
  readonly #print: (line: string) => void;

  constructor(print: (line: string) => void) {
    this.#print = print;
  }

  /** Prints what has changed since the last look. */
  show(run: Run): void {
    for (const step of run.steps.values()) {
      const line = lineOf(step);
      if (line === null || this.#said.get(step.definition.name) === line.key) continue;
      this.#said.set(step.definition.name, line.key);
      this.#print(line.text);
    }
  }
}

function lineOf(step: Step): { readonly key: string; readonly text: string } | null {
  if (step.state === 'none' || step.state === 'scheduled' || step.state === 'queued') return null;
  const counts = countsOf(step);
  const word = step.state.replaceAll('_', ' ');
  const took = tookOf(step);
  const reason = step.reason === null ? '' : `: ${harmless(step.reason)}`;
  return {
    key: `${step.state} ${counts}`,
    text: `  ${markOf(step.state)} ${step.definition.name} ${paint('gray', `${word}${counts}${took}${reason}`)}`,
  };
}

/** Of a mapped step: how many of its instances have ended. */
function countsOf(step: Step): string {
  if (step.definition.map === null || step.instances === null) return '';
  const done = step.instances.filter((instance) => instance.state === 'success').length;
  return ` ${done}/${step.instances.length}`;
}

function tookOf(step: Step): string {
  const attempts = (step.instances ?? []).flatMap((instance) => instance.attempts);
  const ends = attempts.flatMap((attempt) => attempt.finishedAt ?? []);
  if (attempts.length === 0 || ends.length < attempts.length) return '';
  return ` ${formatDuration(Math.max(...ends) - Math.min(...attempts.map((attempt) => attempt.startedAt)))}`;
}

/** The outcome of a run for a reader: verdicts with their interval, gates that failed, what to look at. */
export function outcomeLines(report: RunReport): readonly string[] {
  const lines: string[] = [];
  for (const gate of report.gates) {
    for (const check of gate.checks.filter((each) => !each.passed)) {
      lines.push(`  ${paint('red', 'gate')} ${gate.step}: ${harmless(check.message)}`);
    }
  }
  for (const challenge of report.challenges) {
    const { difference } = challenge.verdict;
    lines.push(`  ${paint('bold', challenge.model)} ${challenge.verdict.kind}: ${challenge.verdict.reason}`);
    if (difference !== null) {
      const percent = Math.round(difference.confidence * 100);
      lines.push(
        `    ${signed(difference.value)}, ${percent} % interval ${signed(difference.low)} to ${signed(difference.high)}; asked for ${signed(challenge.verdict.required)}`,
      );
    }
    lines.push(`    ${challenge.next}`);
  }
  for (const step of report.steps.filter((each) => each.state === 'failed' && each.message !== null)) {
    lines.push(`  ${paint('red', step.name)}: ${harmless(step.message ?? '')}`);
  }
  return lines;
}

function signed(value: number): string {
  return `${value < 0 ? '−' : '+'}${Math.abs(value).toFixed(4)}`;
}

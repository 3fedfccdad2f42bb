/** Made-up models for the tests: rows whose scores follow the label as closely as one asks. */
import { seededGenerator } from '../../src/verdict/generator.ts';
import type { Predictions, VerdictRule } from '../../src/verdict/verdict.ts';
import { anyGain } from '../support/definitions.ts';

export type Compared = Predictions & { readonly champion: readonly number[] };

/** Binary rows; `skill` from 0 (noise) to 1 (always right). Scores have two decimals, so that there are ties. */
export function binaryModels(
  rows: number,
  skill: { readonly challenger: number; readonly champion: number },
  seed = 1,
): Compared {
  const generator = seededGenerator(seed);
  const share = (): number => generator.below(1_000_000) / 1_000_000;
  const labels = Array.from({ length: rows }, () => (share() < 0.35 ? 1 : 0));
  const scores = (weight: number): number[] =>
    labels.map((label) => Math.round(100 * (weight * label + (1 - weight) * share())) / 100);
  return { labels, challenger: scores(skill.challenger), champion: scores(skill.champion) };
}

/** Regression rows; `noise` is the width of the error. */
export function regressionModels(
  rows: number,
  noise: { readonly challenger: number; readonly champion: number },
  seed = 1,
): Compared {
  const generator = seededGenerator(seed);
  const share = (): number => generator.below(1_000_000) / 1_000_000;
  const labels = Array.from({ length: rows }, () => 100 * share());
  const predictions = (width: number): number[] => labels.map((label) => label + width * (share() - 0.5));
  return { labels, challenger: predictions(noise.challenger), champion: predictions(noise.champion) };
}

export function swapped({ labels, challenger, champion }: Compared): Compared {
  return { labels, challenger: champion, champion: challenger };
}

export function ruleOf(changes: Partial<VerdictRule> = {}): VerdictRule {
  return { ...anyGain, ...changes };
}

/** Pipelines of a commit that start one another for ever: none of them is taken. */
import { circleOf, followingsOf } from '../pipeline/following.ts';
import type { Compiled } from './compile.ts';
import { refused } from './evaluation.ts';
import { problem } from './refusal.ts';

export function refuseCircles(compiled: readonly Compiled[]): readonly Compiled[] {
  const followings = followingsOf(compiled.flatMap(({ version }) => version?.definition ?? []));
  return compiled.map((one) => {
    const { version, where } = one;
    const circle = version === null ? null : circleOf(version.definition.name, followings);
    if (version === null || circle === null) return one;
    const { name } = version.definition;
    const others = [...circle.slice(1), name];
    const message =
      circle.length === 1
        ? `the pipeline "${name}" starts itself when it has run`
        : `the pipeline "${name}" starts ${others.map((other) => `"${other}"`).join(', which starts ')}: they would run for ever`;
    const help = 'Take one `pipeline` or `data` out of the options `on`, or let it wait for something else as well.';
    return { ...one, ...refused(problem('definition-circle', message, help, where(null))) };
  });
}

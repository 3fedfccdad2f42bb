/** What `contender.yaml` says about the channels that pipelines name. */
import type { Compiled } from '../compile/compile.ts';
import type { ChannelSettings } from '../notify/notify.ts';
import type { Problem } from '../std/problem.ts';

/** `compiled` with a problem for each channel that leads nowhere. */
export function withChannelProblems(compiled: Compiled, { channels }: ChannelSettings): Compiled {
  const { version, problems, where } = compiled;
  const { deadline = [], failure = [], recovery = [], approval = [] } = version?.definition.notify ?? {};
  const unknown = [...new Set([...deadline, ...failure, ...recovery, ...approval])].filter(
    (name) => !channels.has(name),
  );
  const known = channels.size === 0 ? 'no channels' : `the channels ${[...channels.keys()].join(', ')}`;
  const found = unknown.map((name): Problem => ({
    code: 'channel-unknown',
    message: `there is no channel "${name}"; contender.yaml declares ${known}`,
    where: where(null),
    help: 'Declare it under `notifications.channels` of contender.yaml, or change `notify` of the pipeline.',
  }));
  return { ...compiled, problems: [...problems, ...found] };
}

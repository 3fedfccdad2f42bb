/** Which run started a run by its end, and which it started by its own. */
import { followerKey } from '../../conductor/triggers/followers.ts';
import { firstTriggerOf } from '../../engine/event.ts';
import type { Run } from '../../engine/run.ts';
import type { Journal } from '../../journal/journal.ts';
import type { FollowLink, RunChain } from '../../ui/ui.ts';

export async function followingOf(
  journal: Journal,
  { opened, state }: Run,
): Promise<Pick<RunChain, 'upstream' | 'followers'>> {
  const first = firstTriggerOf(opened.trigger);
  const upstream = first.kind === 'pipeline' ? await journal.run(first.upstream) : null;
  const followers = await followersOf(journal, opened, state);
  return { upstream: upstream === null ? null : linkTo(upstream.opened.pipeline, upstream), followers };
}

async function followersOf(
  journal: Journal,
  { repository, sha, pipeline, runId }: Run['opened'],
  state: Run['state'],
): Promise<readonly FollowLink[]> {
  if (state === 'running' || state === 'cancelling') return [];
  const versions = (await journal.versions(repository, sha)) ?? [];
  const definitions = await Promise.all(
    versions.flatMap(({ digest }) => (digest === null ? [] : [journal.definition(digest)])),
  );
  const names = definitions.flatMap((definition) => {
    const by = definition?.on.pipelines?.find((each) => each.name === pipeline && each.states.includes(state));
    return definition === null || by === undefined ? [] : [definition.name];
  });
  return Promise.all(names.map((name) => followerOf(journal, runId, name)));
}

async function followerOf(journal: Journal, upstream: string, pipeline: string): Promise<FollowLink> {
  const trigger = await journal.trigger(followerKey(upstream, pipeline));
  const run = trigger === null || trigger.runId === null ? null : await journal.run(trigger.runId);
  return run === null ? { pipeline, run: null, reason: trigger?.reason ?? null } : linkTo(pipeline, run);
}

function linkTo(pipeline: string, { id, number }: { readonly id: string; readonly number: number }): FollowLink {
  return { pipeline, run: { id, number }, reason: null };
}

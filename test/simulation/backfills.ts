/** Backfills as people ask for them: of some years of the pipeline `past`, asked again where no answer came, and cancelled. */
import type { Sha } from '../../src/git/git.ts';
import { reprocessChoices } from '../../src/journal/journal.ts';
import type { Random } from './random.ts';
import { repositoryName } from './server.ts';
import type { World } from './world.ts';

const again = { tries: 2, afterMs: 1000 } as const;

export function askForBackfill(world: World, random: Random, sha: Sha): void {
  const id = `backfill-${world.history.backfills.size}-${world.steps}`;
  const year = random.between(2010, 2012);
  const years = random.between(1, 5);
  const days = { fromDay: Date.UTC(year, 0, 1), toDay: Date.UTC(year + years - 1, 0, 1) };
  const how = {
    newestFirst: random.chance(0.3),
    maxActive: random.pick([1, 1, 2, 4]),
    reprocess: random.pick(reprocessChoices),
    parameters: {},
  };
  const request = { id, repository: repositoryName, pipeline: 'past', sha, actor: 'ada', ...days, ...how };
  world.tell(`ada asks for ${id}`);
  const ask = async (triesLeft: number): Promise<void> => {
    try {
      const made = await world.anyServer(random)?.conductor.startBackfill(request);
      if (made?.ok === true && !world.history.backfills.has(id))
        world.violated('P9', `${id} was accepted and is not kept`);
      const intervals = world.history.backfills.get(id)?.intervals.length ?? years;
      if (intervals !== years) world.violated('P9', `${id} has ${intervals} intervals, of ${years} years`);
    } catch {
      if (triesLeft > 0) world.time.later(again.afterMs, () => void ask(triesLeft - 1));
    }
  };
  void ask(again.tries);
}

export function cancelBackfill(world: World, random: Random): void {
  const open = [...world.history.backfills].filter(([, { state }]) => state === 'running');
  if (open.length === 0) return;
  const [id] = random.pick(open);
  world.tell(`grace cancels ${id}`);
  const ask = async (triesLeft: number): Promise<void> => {
    try {
      const asked = await world.anyServer(random)?.conductor.cancelBackfill(id, 'grace');
      if (asked === 'accepted' && world.history.backfills.get(id)?.state === 'running')
        world.violated('P9', `a cancel of ${id} was accepted and is not kept`);
    } catch {
      if (triesLeft > 0) world.time.later(again.afterMs, () => void ask(triesLeft - 1));
    }
  };
  void ask(again.tries);
}

/** The examples with their steps on a worker. */
import { after, before } from 'node:test';
import { startTestFleet, type TestFleet } from '../support/fleet.ts';
import { redisMissing, startRedis, type TestRedis } from '../support/redis.ts';
import { examplesDoWhatTheySay } from './behaviours.ts';
import type { Place } from './example.ts';

const skip = redisMissing();
let redis: TestRedis;
const fleets: TestFleet[] = [];
before(async () => {
  if (skip === false) redis = await startRedis();
});
after(async () => {
  for (const fleet of fleets) await fleet.end();
  if (skip === false) await redis.stop();
});

async function place(): Promise<Place> {
  const fleet = await startTestFleet(redis);
  fleets.push(fleet);
  return { ...fleet, host: '127.0.0.1', image: null };
}

examplesDoWhatTheySay('on a worker', place, skip);

/**
 * Who goes on: which run of a pipeline is opened beside those under way (overlap), which of the open ones may begin
 * (lanes, `maxActiveRuns`), which attempt gets its slots (pools, priorities). Pure, so that the conductor
 * and a rehearsal follow the same rules.
 */
export { Lanes } from './lanes.ts';
export { refusalOf, replacementReason, replaces, type Refusal } from './overlap.ts';
export { poolMistake, type Pools } from './claims.ts';
export { Slots, type SlotsInUse } from './slots.ts';
export { whyWaiting } from './why-waiting.ts';

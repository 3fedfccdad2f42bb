/**
 * Who goes on: which run of a pipeline is opened beside those under way (overlap), which of the open ones may begin
 * (lanes, `maxActiveRuns`), which attempt gets a slot. Pure, so that the conductor and a rehearsal follow the same rules.
 */
export { Lanes } from './lanes.ts';
export { refusalOf, replacementReason, replaces, type Refusal } from './overlap.ts';
export { Slots } from './slots.ts';

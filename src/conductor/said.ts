/** What the server that conducts says of its slots beside its lease, so that the others can answer for it. */
import { z } from 'zod';
import type { SlotsInUse } from '../admission/admission.ts';
import type { JsonObject } from '../std/json.ts';

const saidSchema = z.object({
  slots: z.array(
    z.object({ pool: z.string().nullable(), slots: z.number(), taken: z.number(), waiting: z.number() }),
  ) satisfies z.ZodType<readonly SlotsInUse[]>,
});

export function saidOf(slots: readonly SlotsInUse[]): JsonObject {
  return { slots: slots.map((each) => ({ ...each })) };
}

/** Nothing, of one that has said nothing yet or is of another version. */
export function readSaid(said: JsonObject): readonly SlotsInUse[] {
  const parsed = saidSchema.safeParse(said);
  return parsed.success ? parsed.data.slots : [];
}

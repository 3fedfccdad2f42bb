/** What the server that conducts says of its slots, and of room on its disk, beside its lease, so that the others can answer for it. */
import { z } from 'zod';
import type { SlotsInUse } from '../admission/admission.ts';
import type { JsonObject } from '../std/json.ts';

const saidSchema = z.object({
  slots: z.array(
    z.object({ pool: z.string().nullable(), slots: z.number(), taken: z.number(), waiting: z.number() }),
  ) satisfies z.ZodType<readonly SlotsInUse[]>,
  /** Absent: of an older version. */
  lack: z.string().nullable().default(null),
});

export function saidOf(slots: readonly SlotsInUse[], lack: string | null): JsonObject {
  return { slots: slots.map((each) => ({ ...each })), lack };
}

/** Nothing, of one that has said nothing yet or is of another version. */
export function readSaid(said: JsonObject): z.infer<typeof saidSchema> {
  const parsed = saidSchema.safeParse(said);
  return parsed.success ? parsed.data : { slots: [], lack: null };
}

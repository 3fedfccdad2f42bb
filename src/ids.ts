/**
 * Run ids: ULIDs in lower case (48 bits of time, 80 of chance, Crockford's base 32), so that their order is the order of
 * time; of two in the same millisecond, or after a clock was set back, the later is still the larger.
 */
import { randomBytes } from 'node:crypto';
import type { Clock } from './std/clock.ts';

const digits = '0123456789abcdefghjkmnpqrstvwxyz';

export function createIds(clock: Clock): () => string {
  let lastTime = 0;
  let lastChance = 0n;
  return () => {
    const now = clock.now();
    if (now > lastTime) {
      lastTime = now;
      // The topmost bit is left free, so that counting up never overflows.
      lastChance = BigInt(`0x${randomBytes(10).toString('hex')}`) >> 1n;
    } else lastChance += 1n;
    return encode(BigInt(lastTime), 10) + encode(lastChance, 16);
  };
}

function encode(value: bigint, length: number): string {
  let text = '';
  for (let rest = value; text.length < length; rest >>= 5n) text = (digits[Number(rest & 31n)] ?? '') + text;
  return text;
}

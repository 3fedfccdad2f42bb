/** Names of pods: the same for the same attempt of the same installation, whoever asks, and no other's. */
import { createHash } from 'node:crypto';
import { parseAttemptId } from '../executor.ts';

const podNameLengthMax = 52;
const hashLength = 20;
const alphabet = 'abcdefghijklmnopqrstuvwxyz234567';

/** `c-<100 bits of hash>-<step>-<index>-<attempt>`, as far as there is room: the hash tells them apart, the rest is for people. */
export function podName(instance: string, id: string): string {
  const key = parseAttemptId(id);
  const said = key === null ? '' : `${key.step}-${key.index}-${key.attempt}`;
  const slug = said.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  const name = `c-${base32(createHash('sha256').update(`${instance}\n${id}`).digest()).slice(0, hashLength)}-${slug}`;
  return name.slice(0, podNameLengthMax).replace(/-+$/, '');
}

/** Of RFC 4648, in lower case, without padding. */
function base32(bytes: Uint8Array): string {
  let [text, bits, value] = ['', 0, 0];
  for (const byte of bytes) {
    value = ((value << 8) | byte) & 0xffff;
    bits += 8;
    for (; bits >= 5; bits -= 5) text += alphabet[(value >>> (bits - 5)) & 31] ?? '';
  }
  return text;
}

/** A short name of the installation, for the label by which its pods are found. */
export function instanceOf(key: Uint8Array): string {
  return base32(createHash('sha256').update('instance\n').update(key).digest()).slice(0, 12);
}

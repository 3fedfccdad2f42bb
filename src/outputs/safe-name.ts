/** Names that come from outside (run ids, step names with slashes) as file names that no name can break out of. */
import { createHash } from 'node:crypto';

const nameLengthMax = 180;

/** One file name for `text`: letters, digits, `-` and `_` stay, all else is percent-encoded; long names end in a hash. */
export function safeName(text: string): string {
  const encoded = text.replace(/[^A-Za-z0-9_-]/gu, (character) =>
    [...Buffer.from(character)].map((byte) => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`).join(''),
  );
  if (encoded.length <= nameLengthMax) return encoded === '' ? '%' : encoded;
  const hash = createHash('sha256').update(text).digest('hex').slice(0, 32);
  return `${encoded.slice(0, nameLengthMax - 33)}~${hash}`;
}

/** `run/step/index/attempt` as `run/step~index~attempt`: a folder for each run and one flat name for each attempt. */
export function safePath(key: string): { readonly folder: string; readonly name: string } {
  const [first = '', ...rest] = key.split('/');
  return { folder: safeName(first), name: rest.length === 0 ? '~' : safeName(rest.join('/')).replaceAll('%2F', '~') };
}

/** The last part of a path as the name of an artifact: no folder, no control characters, never empty. */
export function artifactName(path: string): string {
  const last = path.split(/[\\/]/).findLast((part) => part !== '') ?? '';
  // oxlint-disable-next-line no-control-regex -- control characters are what is taken out
  const clean = last.replace(/[\u0000-\u001f\u007f]/g, '_');
  const cut = Buffer.byteLength(clean) <= 255 ? clean : clean.slice(0, 60);
  return cut === '' || cut === '.' || cut === '..' ? 'artifact' : cut;
}

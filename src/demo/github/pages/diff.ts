/** What changed between two commits, file by file; long changes are cut and say so. */
import { git } from '../bare.ts';
import { html, type Markup } from './html.ts';
import { plural } from './layout.ts';

const linesMax = 200;
const filesMax = 100;

/** `from` null: everything of `to`. */
export async function diffOf(directory: string, from: string | null, to: string): Promise<Markup> {
  const range = from === null ? ['4b825dc642cb6eb9a060e54bf8d69288fbee4904', to] : [from, to];
  const patch = await git(directory, ['diff', '--no-color', '--no-ext-diff', '--no-renames', ...range]);
  const files = patch.split(/^(?=diff --git )/m).filter((part) => part !== '');
  return html`<p class="muted">${plural(files.length, 'changed file')}</p>
    ${files.slice(0, filesMax).map(fileOf)}`;
}

function fileOf(patch: string): Markup {
  const lines = patch.split('\n');
  const [, name = ''] = /^diff --git a\/.* b\/(.*)$/.exec(lines[0] ?? '') ?? [];
  const body = lines.slice(
    Math.max(
      0,
      lines.findIndex((line) => line.startsWith('@@') || line.startsWith('Binary')),
    ),
  );
  const shown = body.slice(0, linesMax);
  const rest = body.length - shown.length;
  return html`<div class="box">
    <div class="head"><b>${name}</b></div>
    <pre class="diff" tabindex="0" aria-label="${`Changes of ${name}`}" role="region">
${shown.map((line) => html`<span class="${kindOf(line)}">${line}</span>`)}${rest === 0 ? null : html`<span class="at">… ${plural(rest, 'more line')}</span>`}</pre>
  </div>`;
}

function kindOf(line: string): string {
  if (line.startsWith('@@')) return 'at';
  if (line.startsWith('+')) return 'plus';
  return line.startsWith('-') ? 'minus' : 'same';
}

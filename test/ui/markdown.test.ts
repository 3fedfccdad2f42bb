import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderToString } from 'preact-render-to-string';
import { descriptionOf } from '../../src/ui/markdown-markup.ts';
import { firstLineOf, readMarkdown } from '../../src/ui/markdown.ts';
import { html } from '../../src/ui/html.ts';

function shown(text: string): string {
  const markup = renderToString(html`<main>${descriptionOf(readMarkdown(text))}</main>` as never);
  return markup.replace('<main><div class="description">', '').replace('</div></main>', '');
}

for (const [what, text, markup] of [
  ['paragraphs', 'One *two*\n**three**.\n\nFour', '<p>One <em>two</em>\n<strong>three</strong>.</p><p>Four</p>'],
  ['lists', '- a\n- `b`\n\n1. c', '<ul><li>a</li><li><code>b</code></li></ul><ol><li>c</li></ol>'],
  ['a heading and code', '# Top\n\n```\n<a>\n```', '<p><strong>Top</strong></p><pre>&lt;a>\n</pre>'],
  ['a link', '[docs](https://example.com/a)', '<p><a href="https://example.com/a">docs</a></p>'],
  ['a link that could run', '[x](javascript:alert(1)) [y](/runs)', '<p>x y</p>'],
  ['HTML', 'a <b>c</b>\n\n<script>alert(1)</script>', '<p>a &lt;b>c&lt;/b></p><p>&lt;script>alert(1)&lt;/script></p>'],
  ['an image', '![seen](https://example.com/a.png)', '<p>seen</p>'],
] as const) {
  test(`Markdown: ${what}`, () => assert.equal(shown(text), markup));
}

test('where there is room for one line, it is the first one without its marks', () => {
  assert.equal(firstLineOf('# Prices of **houses**\n\nSee [docs](https://example.com).'), 'Prices of houses');
  assert.equal(firstLineOf('\nOne `a < b`,\ntwo'), 'One a < b,');
  assert.equal(firstLineOf('- a\n- b'), 'a');
  assert.equal(firstLineOf(''), '');
});

test('what is long is shown as it was written, and what is deep is cut', () => {
  const long = '*a* '.repeat(1000);
  assert.equal(shown(long), `<p>${long}</p>`);
  assert.equal(shown('>'.repeat(1999)).match(/<blockquote>/g)?.length, 20);
});

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { renderMarkdown } from '../../src/demo/github/pages/markdown.ts';

const cases: readonly (readonly [title: string, source: string, html: string])[] = [
  ['headings, and a marker that nobody sees', '<!-- contender:x -->\n\n### ✓ x: passed', '<h3>✓ x: passed</h3>\n'],
  [
    'emphasis, code and what is struck out',
    '**a** *b* _c_ `d*e*` ~~f~~',
    '<p><strong>a</strong> <em>b</em> <em>c</em> <code>d*e*</code> <del>f</del></p>\n',
  ],
  ['names with underscores as they are', 'average_precision log_loss_x', '<p>average_precision log_loss_x</p>\n'],
  ['entities of the source once', 'p &lt; 0&#46;001 & more', '<p>p &lt; 0&#46;001 &amp; more</p>\n'],
  [
    'tables with their alignment',
    '| a | b |\n| :-- | --: |\n| 1 | **2** |',
    '<table tabindex="0">\n<thead><tr><th class="left">a</th><th class="right">b</th></tr>\n</thead>\n<tbody><tr><td class="left">1</td><td class="right"><strong>2</strong></td></tr>\n</tbody>\n</table>\n',
  ],
  [
    'fenced code untouched',
    '```text\n<b> **x**\n\n| y\n```',
    '<pre tabindex="0"><code class="language-text">&lt;b&gt; **x**\n\n| y\n</code></pre>\n',
  ],
  ['a fence that is longer than the fences in it', '````\n```\n````', '<pre tabindex="0"><code>```\n</code></pre>\n'],
  [
    'lists, one in the other, and tasks',
    '- a\n- [x] b\n  - c',
    '<ul>\n<li>a</li>\n<li><input type="checkbox" disabled checked> b\n<ul>\n<li>c</li>\n</ul></li>\n</ul>\n',
  ],
  [
    'details with Markdown inside',
    '<details><summary>More **of** it</summary>\n\n- a\n\n</details>',
    '<details><summary>More <strong>of</strong> it</summary>\n<ul>\n<li>a</li>\n</ul>\n</details>\n',
  ],
  ['quotations', '> a\n> b', '<blockquote>\n<p>a<br>\nb</p>\n</blockquote>\n'],
  [
    'links, and addresses that are links by themselves',
    '[Run 2](http://127.0.0.1:1/runs/x) https://example.org/a.',
    '<p><a href="http://127.0.0.1:1/runs/x" rel="nofollow">Run 2</a> <a href="https://example.org/a" rel="nofollow">https://example.org/a</a>.</p>\n',
  ],
  [
    'mentions and commits, but none that was broken',
    `@mona @\u200bmona ${'a'.repeat(40)}`,
    `<p><strong class="mention">@mona</strong> @\u200bmona <code class="commit" title="${'a'.repeat(40)}">aaaaaaa</code></p>\n`,
  ],
  ['escaped characters', String.raw`\*a\* \<b>`, '<p>*a* &lt;b&gt;</p>\n'],
];

for (const [title, source, html] of cases)
  test(`shows ${title}`, () => {
    assert.equal(renderMarkdown(source), html);
  });

test('no markup of the source gets through, and no address that could run', () => {
  for (const hostile of [
    '<script>alert(1)</script>',
    '<img src=x onerror=alert(1)>',
    '[x](javascript:alert(1))',
    '[x](data:text/html;base64,AAAA)',
    '![x](javascript:alert(1))',
    '[x](https://example.org/"onmouseover="alert(1))',
    '<b onclick="alert(1)">x</b>',
    '```"><script>alert(1)</script>\nx\n```',
    '<details open onclick="alert(1)">\n</details>',
    '`<svg onload=alert(1)>`',
    '| <script> |\n| -- |\n| <iframe> |',
    '//evil.example [x](//evil.example)',
  ]) {
    const html = renderMarkdown(hostile);
    const tags = [...html.matchAll(/<[^>]*>/g)].map(([tag]) => tag);
    for (const tag of tags)
      assert.match(
        tag,
        /^<\/?(?:p|a|b|code|pre|table|thead|tbody|tr|th|td|details|summary|br)(?: (?:href="https?:[^"\s]*"|rel="nofollow"|class="[\w-]*"|tabindex="0"|open))*>$/,
        `${hostile} gave ${tag}`,
      );
  }
});

test('a README has its line breaks where the paragraph ends', () => {
  assert.equal(renderMarkdown('a\nb', 'file'), '<p>a\nb</p>\n');
});

test('what is nested beyond measure is shown and ends', () => {
  assert.match(renderMarkdown(`${'> '.repeat(500)}x`), /x/);
  assert.match(renderMarkdown('<details>\n'.repeat(500)), /details/);
  assert.match(renderMarkdown('**a '.repeat(2000)), /a/);
  assert.match(renderMarkdown('['.repeat(20_000)), /\[/);
});

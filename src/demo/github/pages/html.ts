/** Markup as tagged templates in which every value is escaped, but what is markup already. */
export interface Markup {
  readonly markup: string;
}

export type Content = Markup | string | number | null | readonly Content[];

export function html(strings: TemplateStringsArray, ...values: readonly Content[]): Markup {
  return { markup: strings.reduce((text, part, index) => text + write(values[index - 1] ?? null) + part) };
}

/** Markup that was made elsewhere with the same care. */
export function trusted(markup: string): Markup {
  return { markup };
}

function write(content: Content): string {
  if (content === null) return '';
  if (typeof content === 'string') return escapeHtml(content);
  if (typeof content === 'number') return String(content);
  return 'markup' in content ? content.markup : content.map(write).join('');
}

export function escapeHtml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}

/** An address for a link: the web's, or one on this server. Nothing that could run. */
export function safeAddress(address: string): string | null {
  return /^(?:https?:\/\/|#|\/(?!\/))[^\s<>"]*$/i.test(address) ? address : null;
}

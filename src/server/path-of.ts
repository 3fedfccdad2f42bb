/** What the log says of a request: who writes a secret into a query has not asked for it to be kept. */
export function pathOf({ url }: { readonly url: string }): string {
  return url.split('?', 1)[0] ?? '';
}

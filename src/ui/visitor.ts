/** Who looks at a page: what is offered depends on it. */
export type Visitor =
  | { readonly kind: 'reader' }
  /** Somebody who has logged in. Their forms carry the token of the session and, so that a button pressed twice does its work once, a key of the page. */
  | { readonly kind: 'member'; readonly formToken: string; readonly pageKey: string };

/** Where to log in, and come back from to the page that leads there. */
export function loginAddress(from: string): string {
  return `/login?${new URLSearchParams({ to: from })}`;
}

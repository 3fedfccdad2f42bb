/** The buttons of a run: each says its effect, and is a form, so that it works without a program. */
import { html, type Markup } from './html.ts';
import { runAddress, type RunHead } from './run-view.ts';
import { loginAddress, type Visitor } from './visitor.ts';

interface Action {
  /** Last part of its address. */
  readonly path: string;
  /** Of a re-run: which steps. */
  readonly steps: 'all' | 'failed' | null;
  readonly words: string;
}

/** `failed`: how many steps failed. */
export function runActions(head: RunHead, failed: number, visitor: Visitor): Markup {
  const address = runAddress(head.id);
  if (visitor.kind === 'reader') {
    const wish = head.finishedAt === null ? 'Log in to cancel it' : 'Log in to run it again';
    return html`<p class="actions"><a href=${loginAddress(address)}>${wish}</a></p>`;
  }
  return html`<div class="actions">
    ${actionsOf(head, failed).map(
      ({ path, steps, words }) =>
        html`<form method="post" action=${`${address}/${path}`} key=${words}>
          <input type="hidden" name="token" value=${visitor.formToken} />
          <input type="hidden" name="key" value=${visitor.pageKey} />
          ${steps === null ? null : html`<input type="hidden" name="steps" value=${steps} />`}
          <button type="submit">${words}</button>
        </form>`,
    )}
  </div>`;
}

/** In the order of how much they do, the least first. */
function actionsOf({ state, finishedAt, sha }: RunHead, failed: number): readonly Action[] {
  if (finishedAt === null) return state === 'cancelling' ? [] : [{ path: 'cancel', steps: null, words: 'Cancel run' }];
  const whole = { path: 'rerun', steps: 'all', words: `Run again at ${sha.slice(0, 7)}` } as const;
  return failed === 0 ? [whole] : [{ path: 'rerun', steps: 'failed', words: `Retry failed (${failed})` }, whole];
}

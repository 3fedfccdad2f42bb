/** The buttons of a run: each says its effect, and is a form, so that it works without a program. */
import { html, type Markup } from './html.ts';
import { runAddress, type RunHead } from './run-view.ts';
import { loginAddress, type Visitor } from './visitor.ts';

interface Action {
  /** Last part of its address. */
  readonly path: string;
  readonly words: string;
}

export function runActions(head: RunHead, visitor: Visitor): Markup {
  const address = runAddress(head.id);
  if (visitor.kind === 'reader') {
    const wish = head.finishedAt === null ? 'Log in to cancel it' : 'Log in to run it again';
    return html`<p class="actions"><a href=${loginAddress(address)}>${wish}</a></p>`;
  }
  return html`<div class="actions">
    ${actionsOf(head).map(
      ({ path, words }) =>
        html`<form method="post" action=${`${address}/${path}`} key=${path}>
          <input type="hidden" name="token" value=${visitor.formToken} />
          <input type="hidden" name="key" value=${visitor.pageKey} />
          <button type="submit">${words}</button>
        </form>`,
    )}
  </div>`;
}

/** In the order of how much they do, the least first. */
function actionsOf({ state, finishedAt, sha }: RunHead): readonly Action[] {
  if (finishedAt !== null) return [{ path: 'rerun', words: `Run again at ${sha.slice(0, 7)}` }];
  return state === 'cancelling' ? [] : [{ path: 'cancel', words: 'Cancel run' }];
}

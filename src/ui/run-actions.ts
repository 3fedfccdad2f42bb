/** The buttons of a run: each says its effect, and is a form, so that it works without a program. */
import { html, type Markup } from './html.ts';
import { runAddress, type RunHead } from './run-view.ts';
import { loginAddress, type Visitor } from './visitor.ts';

interface Action {
  /** Last part of its address. */
  readonly path: 'cancel' | 'rerun';
  readonly words: Markup;
  /** Of a re-run: which steps, and where. */
  readonly fields: Readonly<Record<string, string>>;
}

type Member = Extract<Visitor, { readonly kind: 'member' }>;

/** `failed`: how many steps failed. */
export function runActions(head: RunHead, failed: number, visitor: Visitor): Markup {
  if (visitor.kind === 'reader') {
    const wish = head.finishedAt === null ? 'Log in to cancel it' : 'Log in to run it again';
    return html`<p class="actions"><a href=${loginAddress(runAddress(head.id))}>${wish}</a></p>`;
  }
  return html`<div class="actions">${actionsOf(head, failed).map((action) => formOf(head, action, visitor))}</div>`;
}

/** The run once more from one of its steps, for who may: what is not after it is reused. */
export function runFromAction(head: RunHead, step: string, visitor: Visitor): Markup {
  if (visitor.kind === 'reader' || head.finishedAt === null) return null;
  const words = `Run again from ${step} at ${shortSha(head)}`;
  return html`<div class="actions">${formOf(head, { path: 'rerun', words, fields: { steps: 'from', from: step } }, visitor)}</div>`;
}

function formOf(head: RunHead, { path, words, fields }: Action, visitor: Member): Markup {
  return html`<form method="post" action=${`${runAddress(head.id)}/${path}`} key=${[path, ...Object.values(fields)].join()}>
    <input type="hidden" name="token" value=${visitor.formToken} />
    <input type="hidden" name="key" value=${visitor.pageKey} />
    ${Object.entries(fields).map(([name, value]) => html`<input type="hidden" name=${name} value=${value} />`)}
    <button type="submit">${words}</button>
  </form>`;
}

/** In the order of how much they do, the least first. */
function actionsOf(head: RunHead, failed: number): readonly Action[] {
  const { state, hasFinallySteps, finishedAt, trigger } = head;
  if (hasFinallySteps) return [{ path: 'cancel', words: 'Cancel finally-steps', fields: { finally: 'yes' } }];
  if (finishedAt === null) return state === 'cancelling' ? [] : [{ path: 'cancel', words: 'Cancel run', fields: {} }];
  const retry: Action = { path: 'rerun', words: `Retry failed (${failed})`, fields: { steps: 'failed' } };
  return [
    ...(failed === 0 ? [] : [retry]),
    { path: 'rerun', words: `Run again at ${shortSha(head)}`, fields: { steps: 'all' } },
    {
      path: 'rerun',
      words: html`Run again at the head of <bdi>${trigger.branch ?? 'the default branch'}</bdi>`,
      fields: { steps: 'all', head: 'yes' },
    },
  ];
}

function shortSha({ sha }: RunHead): string {
  return sha.slice(0, 7);
}

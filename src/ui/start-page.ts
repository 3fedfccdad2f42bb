/** The form that starts a run of a pipeline: at which commit, for which date, with which parameters. */
import { parameterText, parameterTypeText, type ParameterDefinition } from '../pipeline/parameter.ts';
import { html, type Markup } from './html.ts';
import { descriptionOf } from './markdown-markup.ts';
import { readMarkdown } from './markdown.ts';
import type { Page } from './page.ts';
import { loginAddress, type Visitor } from './visitor.ts';

export interface StartView {
  readonly repository: string;
  readonly pipeline: string;
  readonly description: string | null;
  /** Of the definition whose parameters are shown. */
  readonly branch: string;
  readonly sha: string;
  readonly parameters: Readonly<Record<string, ParameterDefinition>>;
  /** As somebody has filled it in, by name of the field; what is not there stands as the definition has it. */
  readonly filled: Readonly<Record<string, string>>;
  /** Why it could not be started. */
  readonly trouble: string | null;
}

/** The field of a parameter. */
export function parameterField(name: string): string {
  return `parameter.${name}`;
}

export function startAddress({ repository, pipeline }: Pick<StartView, 'repository' | 'pipeline'>): string {
  return `/pipelines/start?${new URLSearchParams({ repository, pipeline })}`;
}

export function startPage(view: StartView, visitor: Visitor): Page {
  const { repository, pipeline, description, branch, sha, trouble } = view;
  return {
    title: `Start ${pipeline}`,
    area: 'pipelines',
    island: null,
    body: html`<header class="page-head">
        <p class="crumbs"><a href="/pipelines">Pipelines</a></p>
        <h1>${`Start ${pipeline}`}</h1>
        <p class="muted"><bdi>${repository}</bdi>${', as '}<bdi>${branch}</bdi>${' defines it at '}<code>${sha.slice(0, 10)}</code></p>
      </header>
      <section class="card start" aria-label=${`Start ${pipeline}`}>
        ${description === null ? null : descriptionOf(readMarkdown(description))}
        ${trouble === null ? null : html`<p class="notice tone-bad" role="alert">${trouble}</p>`}
        ${visitor.kind === 'reader' ? loginOf(view) : formOf(view, visitor)}
      </section>`,
  };
}

function loginOf(view: StartView): Markup {
  return html`<p><a href=${loginAddress(startAddress(view))}>${`Log in to start ${view.pipeline}`}</a></p>`;
}

function formOf(view: StartView, visitor: Extract<Visitor, { kind: 'member' }>): Markup {
  const { repository, pipeline, branch, parameters, filled } = view;
  return html`<form method="post" action="/pipelines/start">
    <input type="hidden" name="token" value=${visitor.formToken} />
    <input type="hidden" name="key" value=${visitor.pageKey} />
    <input type="hidden" name="repository" value=${repository} />
    <input type="hidden" name="pipeline" value=${pipeline} />
    ${fieldOf(
      'Branch, tag or SHA',
      'Its newest commit is fetched.',
      html`<input name="revision" required maxlength="200" autocomplete="off" value=${filled['revision'] ?? branch} />`,
    )}
    ${fieldOf(
      'Date (UTC)',
      'What the run is for, as its steps are told; left out: now.',
      html`<input type="date" name="date" value=${filled['date'] ?? ''} />`,
    )}
    ${Object.entries(parameters).map(([name, parameter]) =>
      fieldOf(name, aboutOf(parameter), inputOf(name, parameter, filled[parameterField(name)] ?? null)),
    )}
    <p><button type="submit" class="main">${`Start ${pipeline}`}</button></p>
  </form>`;
}

function fieldOf(name: string, about: string | null, input: Markup): Markup {
  return html`<label key=${name}
    ><span>${name}</span>${about === null ? null : html`<span class="muted">${about}</span>`}${input}</label
  >`;
}

/** A list says how it is written. */
function aboutOf(parameter: ParameterDefinition): string | null {
  const { type, description } = parameter;
  if (type !== 'list') return description;
  const written = `A ${parameterTypeText(parameter)}; between commas, or as JSON.`;
  return description === null ? written : `${description} ${written}`;
}

const listTextMax = 20_000;

function inputOf(name: string, parameter: ParameterDefinition, filled: string | null): Markup {
  const field = parameterField(name);
  const value = filled ?? (parameter.default === null ? '' : parameterText(parameter.default));
  const needed = parameter.default === null;
  const { type, min, max, minLength, maxLength = 2000 } = parameter;
  const choices = type === 'boolean' ? [true, false] : type === 'list' ? null : parameter.choices;
  if (choices !== null) {
    const words = choices.map(String);
    return html`<select name=${field} required=${needed}>
      ${needed ? html`<option value="">–</option>` : null}
      ${words.map((word) => html`<option value=${word} selected=${word === value}>${word}</option>`)}
    </select>`;
  }
  if (type === 'number')
    return html`<input type="number" step="any" min=${min} max=${max} name=${field} required=${needed} value=${value} />`;
  const [least, most] = type === 'list' ? [undefined, listTextMax] : [minLength, maxLength];
  return html`<input name=${field} required=${needed} minlength=${least} maxlength=${most} autocomplete="off" value=${value} />`;
}

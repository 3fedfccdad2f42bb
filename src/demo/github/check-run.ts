/** What a check run's body may hold, and what it changes. */
import { isJsonObject, type JsonObject } from '../../std/json.ts';
import { field, unprocessable, type Answer } from './endpoint.ts';
import type { Annotation, CheckRun } from './world.ts';

const textMax = 65_535;
const annotationsPerRequestMax = 50;
const actionsMax = 3;

export function refusalOfCheckRun(body: JsonObject): Answer | null {
  const output = isJsonObject(body['output']) ? body['output'] : {};
  const wrong = (name: string, message: string): Answer => unprocessable('CheckRun', name, message);
  if (body['status'] === 'completed' && field(body, 'conclusion') === null)
    return wrong('conclusion', 'conclusion is required when the status is completed');
  for (const name of ['summary', 'text'])
    if ((field(output, name) ?? '').length > textMax)
      return wrong(name, `${name} is too long (maximum is ${textMax} characters)`);
  const annotations = Array.isArray(output['annotations']) ? output['annotations'] : [];
  if (annotations.length > annotationsPerRequestMax)
    return wrong('annotations', `no more than ${annotationsPerRequestMax} annotations may be sent at once`);
  const actions = Array.isArray(body['actions']) ? body['actions'] : [];
  if (actions.length > actionsMax) return wrong('actions', `no more than ${actionsMax} actions are allowed`);
  for (const action of actions) {
    if (!isJsonObject(action)) return wrong('actions', 'is not an object');
    if ((field(action, 'label') ?? '').length > 20) return wrong('label', 'is longer than 20 characters');
    if ((field(action, 'description') ?? '').length > 40) return wrong('description', 'is longer than 40 characters');
    if ((field(action, 'identifier') ?? '').length > 20) return wrong('identifier', 'is longer than 20 characters');
  }
  return null;
}

/** Fields that are given are set; annotations are added to those that are there. */
export function readCheckRun(check: CheckRun, body: JsonObject, now: number): void {
  check.externalId = field(body, 'external_id') ?? check.externalId;
  check.detailsUrl = field(body, 'details_url') ?? check.detailsUrl;
  check.startedAt = field(body, 'started_at') ?? check.startedAt;
  check.status = field(body, 'status') ?? check.status;
  const conclusion = field(body, 'conclusion');
  if (conclusion !== null) {
    check.conclusion = conclusion;
    check.status = 'completed';
    check.completedAt = field(body, 'completed_at') ?? new Date(now).toISOString();
  } else if (check.status !== 'completed') {
    check.conclusion = null;
    check.completedAt = null;
  }
  const output = body['output'];
  if (isJsonObject(output)) {
    check.title = field(output, 'title') ?? check.title;
    check.summary = field(output, 'summary') ?? check.summary;
    check.text = field(output, 'text') ?? check.text;
    const annotations: readonly unknown[] = Array.isArray(output['annotations']) ? output['annotations'] : [];
    check.annotations = [...check.annotations, ...annotations.filter(isAnnotation)];
  }
  const actions: readonly unknown[] = Array.isArray(body['actions']) ? body['actions'] : [];
  if (body['actions'] !== undefined) check.actions = actions.filter(isAction);
}

function isAnnotation(value: unknown): value is Annotation {
  return (
    isJsonObject(value) &&
    typeof value['path'] === 'string' &&
    typeof value['start_line'] === 'number' &&
    typeof value['end_line'] === 'number' &&
    typeof value['message'] === 'string' &&
    (value['annotation_level'] === 'notice' ||
      value['annotation_level'] === 'warning' ||
      value['annotation_level'] === 'failure')
  );
}

function isAction(value: unknown): value is CheckRun['actions'][number] {
  return (
    isJsonObject(value) &&
    typeof value['label'] === 'string' &&
    typeof value['description'] === 'string' &&
    typeof value['identifier'] === 'string'
  );
}

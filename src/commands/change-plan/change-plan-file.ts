import { readFile } from 'node:fs/promises';
import { contentHash } from '../../plan/canonical.ts';
import type { Diagnostic } from '../../plan/diagnostic.ts';
import { failure } from '../../plan/errors.ts';
import { assertFormat } from '../../plan/format-version.ts';
import type { ChangePlan, Step } from '../../runner/6-diff/step.ts';
import { readHeader } from './comment-header.ts';
import { headline } from './print-text.ts';

const FORMAT = '1.0';
const REMAKE = 'Run `sarrio plan --out FILE` again.';
/** So many differences are listed; the rest is counted. */
const LISTED = 20;

type SavedStep = { readonly id: string; readonly hash: string };

/** What `--expect` and `--plan` approve: an id, and the steps where they are known. */
export type Expected = { readonly id: string; readonly steps: readonly SavedStep[] | null };

/** The file that `plan --out` writes. */
export function savedPlan(changes: ChangePlan): string {
  const steps = changes.steps.map((step) => ({ ...saved(step), reason: step.reason, sql: step.sql }));
  return `${JSON.stringify({ format: FORMAT, id: changes.id, project: changes.project, steps }, null, 2)}\n`;
}

/** Reads a file that `plan --out` wrote, or the comment that `plan --format markdown` made. */
export async function readSavedPlan(path: string, shown: string): Promise<Expected> {
  const text = await readText(path, shown);
  const header = readHeader(text);
  if (header?.truncated === true) {
    throw failure('refused', {
      code: 'SAR516',
      where: shown,
      message: 'the comment shows only part of its change plan, so it approves nothing',
      hint: 'Read the whole plan (sarrio plan --out FILE), and approve it with --expect and its id.',
    });
  }
  if (header?.change) return { id: header.change, steps: null };
  return parse(text, shown);
}

/** Says why what would be done now is not what was approved; empty when it is. */
export function expectationFaults(changes: ChangePlan, expected: Expected | null): readonly Diagnostic[] {
  if (expected === null || expected.id === changes.id) return [];
  const now = headline(changes.steps) || 'nothing to do';
  const message = `the change plan is no longer ${expected.id}: it is ${changes.id} (${now})${differenceText(expected, changes.steps)}`;
  return [{ code: 'SAR503', severity: 'error', message, hint: 'Look at `sarrio plan` again and approve what it says now.', span: null, where: null }];
}

function differenceText({ steps }: Expected, now: readonly Step[]): string {
  if (steps === null)
    return listed(
      'would do',
      now.map(({ id }) => id),
    );
  const [before, after] = [steps, now.map(saved)].map((list) => new Map(list.map(({ id, hash }) => [id, hash])));
  if (!before || !after) return '';
  const added = [...after.keys()].filter((id) => !before.has(id));
  const gone = [...before.keys()].filter((id) => !after.has(id));
  const changed = [...after].filter(([id, hash]) => before.has(id) && before.get(id) !== hash).map(([id]) => id);
  const same = added.length + gone.length + changed.length === 0 ? '\n  the steps are the same, but the databases or generated/ are not as they were' : '';
  return `${listed('now also', added)}${listed('no longer', gone)}${listed('with other statements', changed)}${same}`;
}

function listed(title: string, ids: readonly string[]): string {
  if (ids.length === 0) return '';
  const more = ids.length > LISTED ? [`and ${ids.length - LISTED} more`] : [];
  return [...ids.slice(0, LISTED), ...more].map((id) => `\n  ${title}: ${id}`).join('');
}

function saved({ id, sql, record, hazards }: Step): SavedStep {
  return { id, hash: contentHash({ sql, record, hazards: hazards.map(({ code, object }) => [code, object]) }) };
}

async function readText(path: string, shown: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    const message = `cannot read it: ${error instanceof Error ? error.message : String(error)}`;
    throw failure('invalid', { code: 'SAR515', where: shown, message, hint: REMAKE, cause: error });
  }
}

function parse(text: string, shown: string): Expected {
  const invalid = (message: string): Error => failure('invalid', { code: 'SAR515', where: shown, message, hint: REMAKE });
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch (error) {
    throw invalid(`neither a change plan nor a comment with one: ${error instanceof Error ? error.message : String(error)}`);
  }
  if (typeof content !== 'object' || content === null) throw invalid('the file holds no change plan');
  const { format, id, steps } = content as { format?: unknown; id?: unknown; steps?: unknown };
  assertFormat({ found: format, ours: FORMAT, code: 'SAR515', file: shown, remake: REMAKE });
  if (typeof id !== 'string' || !Array.isArray(steps)) throw invalid('the file holds no change plan');
  return { id, steps: steps.map((step: Partial<SavedStep>) => ({ id: String(step.id), hash: String(step.hash) })) };
}

import type { ConflictRule } from '../../../plan/conflict-rule.ts';
import type { ModelMasterTable, ModelMultiMaster } from '../../2-model/model.ts';
import { type ModelRing, ringsOf } from '../../2-model/rings.ts';
import { displayName } from '../../../sql/quote.ts';
import { type CheckInput, type Finding, masterTables, type Rule } from '../rule.ts';

/**
 * SAR276. In a ring no round has everybody, so two rounds far from each other may decide one conflict, each not knowing of the other. That
 * ends only where whoever meets the two outcomes chooses the same one, wherever it is: where the rule is an order of the changes
 * themselves (test/simulation/rings shows what becomes of others).
 */
export const ring: Rule = {
  code: 'SAR276',
  severity: 'error',
  summary: 'multi-master syncs form a ring that need not come to rest',
  explanation:
    "Stars, chains and trees of multi-master syncs carry everything everywhere under any rule. In a ring two rounds that have no database in common may decide one conflict in two ways, and the outcomes could chase each other for ever: so all of its syncs carry the same tables, by one rule that orders the changes themselves, `last-update-wins` or `first-update-wins`, without onUnique and onException. And none of them copies rows (`existingRows: 'keep'`): what is copied would go round as if it had been changed there.",
  example: "a-b, b-c, c-d and d-a as four multi-master syncs with onConflict: ['a', 'c']",
  cure: 'One multi-master sync of all of them, for which any rule will do.',
  run: (input) => ringsOf(input.model.syncs).flatMap((each) => faultsOf(input, each)),
};

/** At the last of its syncs, once for each reason. */
function faultsOf(input: CheckInput, found: ModelRing): readonly Finding[] {
  const names = found.syncs.map(({ name }) => name).join(', ');
  const last = masterTables(input)
    .filter(({ sync }) => found.syncs.includes(sync))
    .at(-1);
  return reasonsIn(found).map((reason) => ({
    path: last?.path ?? ['syncs'],
    message: `the multi-master syncs ${names} form a ring, and ${reason}`,
    hint: "Make one multi-master sync of their databases, or leave one out, or let all have the same tables, last-update-wins (or first-update-wins) and existingRows: 'keep'.",
  }));
}

function reasonsIn({ syncs }: ModelRing): readonly string[] {
  const reasons: string[] = [];
  const copying = syncs.find(({ existingRows }) => existingRows !== 'keep');
  if (copying !== undefined) reasons.push(`${copying.name} copies rows (existingRows: '${copying.existingRows}')`);
  const labels = syncs.map(({ tables }) => tables.map(labelOf).join(', '));
  if (new Set(labels).size > 1) reasons.push('they do not have the same tables');
  for (const table of new Set(syncs.flatMap(({ tables }) => tables.map(labelOf)))) {
    const reason = reasonAt(table, syncs);
    if (reason !== null) reasons.push(reason);
  }
  return reasons;
}

function reasonAt(label: string, syncs: readonly ModelMultiMaster[]): string | null {
  const tables = syncs.flatMap((sync) => sync.tables.filter((table) => labelOf(table) === label));
  const rules = tables.flatMap(({ rule }) => rule ?? []);
  const other = rules.find((rule) => !isOrder(rule));
  if (other !== undefined) return `${label} has the rule ${other.strategy}, whose outcome depends on where it is asked`;
  if (new Set(rules.map(({ strategy }) => strategy)).size > 1) return `${label} has two rules`;
  if (tables.some(({ unique, exception }) => unique !== null || exception !== null)) return `${label} has onUnique or onException`;
  return null;
}

function isOrder({ strategy }: ConflictRule): boolean {
  return strategy === 'last-update-wins' || strategy === 'first-update-wins';
}

function labelOf({ reference }: ModelMasterTable): string {
  return displayName(reference.source);
}

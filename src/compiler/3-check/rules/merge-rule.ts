import { displayName } from '../../../sql/quote.ts';
import { mergeRules, rulePath } from '../merge-rules.ts';
import { masterTables, placedTables, type PlacedTable, type Rule } from '../rule.ts';

/** SAR293. */
export const otherwiseMissing: Rule = {
  code: 'SAR293',
  severity: 'error',
  summary: 'a rule that merges does not say what happens otherwise',
  explanation:
    'Merging leaves cases open: two members changed the same column, or one deleted the row that the other changed, or both inserted it. What happens then is for you to say.',
  example: "onConflict: { columns: 'merge' }",
  cure: "onConflict: { columns: 'merge', otherwise: 'last-update-wins' }",
  run: (input) =>
    mergeRules(input).flatMap(({ rule, path }) => {
      if (rule.otherwise !== undefined) return [];
      const hint = "Give it an otherwise: 'last-update-wins', 'first-update-wins', 'skip', 'stop', or a list of members in order of preference.";
      return [{ path, message: 'the rule has no otherwise for what cannot be merged', hint }];
    }),
};

/** SAR294. */
export const mergesNothing: Rule = {
  code: 'SAR294',
  severity: 'error',
  summary: 'a rule that merges names nothing to be merged',
  explanation: "A rule written as an object has `columns: 'merge'`, or `counters`, or both.",
  example: "onConflict: { otherwise: 'skip' }",
  cure: "Add columns: 'merge' or counters, or write onConflict: 'skip'.",
  run: (input) =>
    mergeRules(input).flatMap(({ rule, path }) => {
      if (rule.columns !== undefined || rule.counters !== undefined) return [];
      const hint = "Add columns: 'merge' or counters: ['…'], or write the rule of otherwise in its place.";
      return [{ path, message: 'the rule has neither columns nor counters', hint }];
    }),
};

/** SAR295. */
export const mergeInHierarchy: Rule = {
  code: 'SAR295',
  severity: 'error',
  summary: 'a rule that merges, or asks for the last common row, for a table in an inheritance hierarchy',
  explanation: 'Such tables are captured row by row, through whichever table a statement names, and no more than the key is recorded of them.',
  example: "a table with children that inherit, columns: 'merge'",
  cure: 'Use another rule for it.',
  run: (input) =>
    masterTables(input).flatMap((placed) => {
      const { reference, sources } = placed.table;
      const isRecorded = reference.recorded !== null || reference.before;
      if (!isRecorded || [reference, ...Object.values(sources)].every(({ capture }) => capture === 'statement')) return [];
      const what = reference.before ? 'no old row is kept for a handler that asks for conflict.common' : 'changes cannot be merged';
      const message = `${placed.label} is in an inheritance hierarchy, where ${what}`;
      return [{ path: rulePath(input, placed), message, hint: 'Give this table another onConflict.' }];
    }),
};

/** SAR296. */
export const differentCounters: Rule = {
  code: 'SAR296',
  severity: 'error',
  summary: 'one table has different rules that merge in two multi-master syncs',
  explanation: 'A table is captured once for all syncs of a database, and so is what is recorded of its changes: the counters must be the same.',
  example: "counters: ['stock'] in one sync, none in the other",
  cure: 'Say the same in both.',
  run: (input) => {
    const first = new Map<string, PlacedTable>();
    return placedTables(input).flatMap((placed) => {
      const { table, flow, path, sync } = placed;
      if (sync.mode === 'one-way') return [];
      const identity = JSON.stringify([flow.source, table.source.schema, table.source.name]);
      const other = first.get(identity);
      if (!other) first.set(identity, placed);
      if (!other || JSON.stringify(other.table.recorded) === JSON.stringify(table.recorded)) return [];
      const message = `what is merged of ${displayName(table.source)} is not the same here and in sync '${other.sync.name}'`;
      return [{ path, message, hint: 'Give both the same counters and columns, or neither.' }];
    });
  },
};

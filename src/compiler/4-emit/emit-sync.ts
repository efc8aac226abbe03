import { FEW_ENTRIES, type PlanMasterTable, type PlanMultiMaster, type PlanOneWay, type PlanRoute, type PlanSync, type PlanTable } from '../../plan/plan.ts';
import type { Made, Recall } from '../../plan/recall.ts';
import type { PlanRing } from '../../plan/plan-masters.ts';
import type { TableSchema } from '../../plan/schema-lock.ts';
import { ident } from '../../sql/quote.ts';
import type { Model, ModelMasterTable, ModelMultiMaster, ModelOneWay, ModelSync, ModelTable } from '../2-model/model.ts';
import { objectNames, wakeName } from '../2-model/object-names.ts';
import { type ModelRing, ringOf } from '../2-model/rings.ts';
import { emitCarry } from './emit-carry.ts';
import { emitFullCopy } from './emit-full-copy.ts';
import { copyFormat, emitRoutes, readersOf, routeEnd, routeWords } from './emit-routes.ts';
import { flatTexts } from './flat-texts.ts';
import { planColumn } from './plan-column.ts';
import { countPending } from './statements/count.sql.ts';
import { masterStatements } from './statements/masters.sql.ts';

/** The runner's part of one sync. */
export function emitSync(model: Model, sync: ModelSync, recall: Recall): PlanSync {
  switch (sync.mode) {
    case 'one-way':
      return emitOneWay(model, sync, recall);
    case 'multi-master':
      return emitMasters(model, sync, recall);
    case 'full-copy':
      return emitFullCopy(model, sync);
    default:
      return sync satisfies never;
  }
}

function emitOneWay(model: Model, sync: ModelOneWay, recall: Recall): PlanOneWay {
  const { mode, name, source, targets, existingRows, maxBacklog, guard, copy } = sync;
  const tables = sync.tables.map((table, ordinal) => {
    const options = {
      ...{ account: name, copyFormat: null, isGuarded: guard !== null && table.gone !== 'kept', ranges: 'plain' as const },
      ...{ adopts: existingRows === 'adopt', rebuildsIndexes: copy?.rebuildIndexes === true },
      targets: targets.map((database) => {
        return routeEnd(model, { sync: name, sources: [source], table }, { database, schema: tableAt(table.targets, database) });
      }),
    };
    return recall({ about: table, kind: 'plan', words: JSON.stringify([ordinal, routeWords(options)]) }, () =>
      emitTable({ table, ordinal, routes: emitRoutes({ table, ...options }), account: name }),
    );
  });
  const sequences = emitCarry(sync);
  const more = { ...(copy === null ? {} : { copy }), ...(guard === null ? {} : { guard }), ...(sequences === null ? {} : { sequences }) };
  return { mode, source, targets, existingRows, maxBacklog, fewEntries: FEW_ENTRIES, ...more, wake: wakeOf(name), tables };
}

function emitMasters(model: Model, sync: ModelMultiMaster, recall: Recall): PlanMultiMaster {
  const { mode, name, members, existingRows, maxBacklog, maxClockSkewMs, keepConflictsHours, copy } = sync;
  const ring = ringOf(model.syncs, sync);
  const tables = sync.tables.map((table, ordinal) => {
    const { made, make } = masterTable(model, sync, { table, ordinal, ring });
    return recall(made, make);
  });
  const kept = { ...(copy === null ? {} : { copy }), ...(ring === null ? {} : { ring: planRing(ring, members) }) };
  return { mode, members, existingRows, maxBacklog, wake: wakeOf(name), maxClockSkewMs, keepConflictsHours, ...kept, tables };
}

function planRing({ syncs, databases }: ModelRing, members: readonly string[]): PlanRing {
  return { syncs: syncs.map(({ name }) => name), others: databases.filter((database) => !members.includes(database)) };
}

type Emitting = { readonly table: ModelMasterTable; readonly ordinal: number; readonly ring: ModelRing | null };

/** The members' tables are alike, so one text serves all; it is written for the first. The syncs of a ring read and mark entries as if they were one. */
function masterTable(model: Model, sync: ModelMultiMaster, { table, ordinal, ring }: Emitting): { readonly made: Made; readonly make: () => PlanMasterTable } {
  const { name, members } = sync;
  const account = ring?.account ?? name;
  const { reference, rule, unique, exception } = table;
  if (rule === null) throw new Error(`no conflict rule for a table of ${name}`);
  const targets = members.map((database) =>
    routeEnd(model, { sync: name, sources: members, table: reference }, { database, schema: tableAt(table.schemas, database) }),
  );
  const schemas = targets.map(({ schema }) => schema);
  const format = copyFormat(reference, schemas);
  const ranges = sync.existingRows === 'keep' ? ('none' as const) : ('compared' as const);
  const only = { isGuarded: false, ranges, adopts: sync.existingRows === 'adopt', rebuildsIndexes: false };
  const options = { account, targets, copyFormat: format, ...only };
  const isAsked = sync.tables.some((each) => each.exception !== null);
  const of = { memberCount: (ring?.databases ?? members).length, isRing: ring !== null, databases: members, rule, unique, mask: table.mask, isAsked };
  const own = Object.fromEntries(targets.map(({ database, schema }) => [database, schema]));
  const at = { table: reference, target: reference.source, copyFormat: format, ...of };
  const mask = table.mask.length > 0 ? { mask: table.mask } : {};
  const readers = readersByMember(model, sync, reference);
  const make = (): PlanMasterTable => {
    const statements = masterStatements(at, account, isAsked ? { tables: exception === null ? null : own } : null);
    const routes = emitRoutes({ table: reference, ...options });
    return { ...emitTable({ table: reference, ordinal, routes, account }), rule, unique, exception, ...mask, masters: flatTexts({ ...statements, readers }) };
  };
  return { made: { about: reference, kind: 'plan', words: JSON.stringify([ordinal, routeWords(options), of, exception, readers]) }, make };
}

/** Members where no other sync reads the table are left out. */
function readersByMember(model: Model, { name, members }: ModelMultiMaster, { targetName }: ModelTable): PlanMasterTable['masters']['readers'] {
  const found = members.map((database) => {
    const readers = readersOf(model, { database, table: targetName, except: name });
    return [database, readers.map((reader) => ({ sync: reader.name, sequence: wakeOf(reader.name) }))] as const;
  });
  return Object.fromEntries(found.filter(([, readers]) => readers.length > 0));
}

function tableAt(schemas: Readonly<Record<string, TableSchema>>, database: string): TableSchema {
  const schema = schemas[database];
  if (schema === undefined) throw new Error(`no table for target ${database}`);
  return schema;
}

function wakeOf(sync: string): string {
  return ident('sarrio', wakeName(sync)).text;
}

type EmittingTable = { readonly table: ModelTable; readonly ordinal: number; readonly routes: readonly PlanRoute[]; readonly account: string };

function emitTable({ table, ordinal, routes, account }: EmittingTable): PlanTable {
  const { schema, name } = table.source;
  return flatTexts({
    source: { schema, name },
    target: table.targetName,
    key: table.key.columns.map((column) => column.name),
    columns: table.columns.map(planColumn),
    where: table.where,
    filled: ident('sarrio', objectNames(table.source).filled).text,
    countPending: countPending(account, { table, ordinal }).text,
    ...keeps(table),
    routes,
  });
}

function keeps({ gone }: ModelTable): Pick<PlanTable, 'keeps'> {
  if (gone === 'deleted') return {};
  return { keeps: gone === 'kept' ? 'gone' : 'truncated' };
}

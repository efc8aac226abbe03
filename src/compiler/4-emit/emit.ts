import type { Recall } from '../../plan/recall.ts';
import { PLAN_FORMAT, type Plan, type PlanCapture, type PlanDatabase } from '../../plan/plan.ts';
import { displayName, ident } from '../../sql/quote.ts';
import { allFlows, type Model, type ModelDatabase, type ModelMultiMaster, type ModelOneWay, type ModelSync, modelFlows } from '../2-model/model.ts';
import { emitBookkeeping } from './emit-bookkeeping.ts';
import { type Captured, emitCapture } from './emit-capture.ts';
import { emitWatched } from './emit-carry.ts';
import { emitSequences } from './emit-sequences.ts';
import { emitShapes } from './emit-shapes.ts';
import { relaysIn } from '../../plan/rights.ts';
import { withGrants } from './objects/grants.sql.ts';
import { emitSync } from './emit-sync.ts';
import { objectNames } from '../2-model/object-names.ts';
import { ringsOf } from '../2-model/rings.ts';
import { recordPartition, refreshEntry } from './statements/recapture.sql.ts';
import { type PrintedFile, printed, type SqlFile } from './sql-file.ts';

/** What the compiler writes under `generated/`, apart from the plan's own file. */
export type Emitted = {
  readonly plan: Plan;
  /** Path under `generated/` with forward slashes -> text. */
  readonly files: ReadonlyMap<string, string>;
};

/** Phase 4: a checked model becomes SQL files and the runner plan. Pure; the same model gives the same bytes. */
export function emit(model: Model, recall: Recall): Emitted {
  const databases = model.databases.map((database) => ({ database, captures: capturesIn(model, database.name) }));
  const written = databases.map(({ database, captures }) => ({ database, captures, files: filesOf({ model, database, captures, recall }) }));
  const plan: Plan = {
    format: PLAN_FORMAT,
    requires: requiredBy(model),
    project: model.project,
    ...(model.approvals.length === 0 ? {} : { approvals: model.approvals }),
    databases: Object.fromEntries(written.map((each) => [each.database.name, emitDatabase({ model, recall, ...each })])),
    syncs: Object.fromEntries(model.syncs.map((sync) => [sync.name, emitSync(model, sync, recall)])),
  };
  return { plan, files: new Map(written.flatMap(({ files }) => files.map(({ path, text }) => [path, text]))) };
}

/** What an older runner would do wrongly. */
function requiredBy({ syncs }: Model): readonly string[] {
  const guarded = syncs.some((sync) => sync.mode === 'one-way' && sync.guard !== null) ? ['guard'] : [];
  const keeping = syncs.some((sync) => sync.mode === 'one-way' && sync.tables.some(({ gone }) => gone !== 'deleted')) ? ['keep-rows'] : [];
  const ringed = ringsOf(syncs).length > 0 ? ['ring'] : [];
  const adopting = syncs.some((sync) => sync.mode !== 'full-copy' && sync.existingRows === 'adopt') ? ['adopt-rows'] : [];
  const rebuilding = syncs.some(rebuildsIndexes) ? ['rebuild-indexes'] : [];
  const seeding = syncs.some(isSeeded) ? ['seed-in-ranges'] : [];
  return [...new Set(syncs.map(({ mode }) => mode)), ...guarded, ...keeping, ...adopting, ...rebuilding, ...seeding, ...ringed].sort();
}

type Written = { readonly database: ModelDatabase; readonly captures: readonly Captured[]; readonly files: readonly PrintedFile[] };
type Emitting = { readonly model: Model; readonly recall: Recall };

function filesOf({ model, recall, database, captures }: Emitting & Omit<Written, 'files'>): readonly PrintedFile[] {
  const sourceOf = model.syncs.filter((sync) => allFlows(sync).some(({ source }) => source === database.name)).map(({ name }) => name);
  const isMember = model.syncs.some((sync) => sync.mode === 'multi-master' && sync.members.includes(database.name));
  const isCopied = model.syncs.some((sync) => sync.mode === 'full-copy' && [sync.source, ...sync.targets].includes(database.name));
  const isOneWay = model.syncs.some((sync) => sync.mode === 'one-way' && [sync.source, ...sync.targets].includes(database.name));
  const isWatched = emitWatched(model, database.name).length > 0;
  const isCarriedTo = model.syncs.some((sync) => carriesTo(sync, database.name));
  const isFollower = model.syncs.some((sync) => sync.mode === 'one-way' && sync.targets.includes(database.name));
  const isMemberCopied = model.syncs.some((sync) => isSeeded(sync) && sync.members.includes(database.name));
  const isGuarded = model.syncs.some((sync) => sync.mode === 'one-way' && sync.guard !== null && sync.targets.includes(database.name));
  const isRebuilt = model.syncs.some((sync) => rebuildsIndexes(sync) && sync.targets.includes(database.name));
  const bookkept = {
    database: database.name,
    sourceOf,
    isMember,
    isCopied,
    isWatched,
    isCarriedTo,
    isOneWay,
    isFollower,
    isMemberCopied,
    isGuarded,
    isRebuilt,
  };
  const { roles } = database;
  const to = roles === null ? null : { roles, relays: relaysIn(emitShapes(model, database.name, recall)) };
  const granted = (file: SqlFile): SqlFile => (to === null ? file : withGrants(file, to));
  const files = captures.map((captured) => {
    const words = JSON.stringify([captured.syncs, to]);
    return recall({ about: captured.table, kind: `file ${database.name}`, words }, () => printed(granted(emitCapture(captured))));
  });
  return [printed(granted(emitBookkeeping(bookkept))), ...files];
}

function rebuildsIndexes(sync: ModelSync): sync is ModelOneWay {
  return sync.mode === 'one-way' && sync.copy?.rebuildIndexes === true;
}

/** Members that join are copied from the first one. */
function isSeeded(sync: ModelSync): sync is ModelMultiMaster {
  return sync.mode === 'multi-master' && sync.existingRows !== 'keep';
}

function carriesTo(sync: ModelSync, database: string): boolean {
  return sync.mode === 'one-way' && sync.targets.includes(database) && sync.sequences !== null && sync.sequences !== 'ignore';
}

function emitDatabase({ model, recall, database, captures, files }: Emitting & Written): PlanDatabase {
  const sequences = emitSequences(model, database.name);
  const watched = emitWatched(model, database.name);
  return {
    url: { env: database.urlVariable },
    ...(database.roles === null ? {} : { roles: database.roles }),
    objects: files.flatMap(({ objects }) => objects),
    captures: captures.map((captured) =>
      recall({ about: captured.table, kind: `capture ${database.name}`, words: JSON.stringify(captured.syncs) }, () => planCapture(captured)),
    ),
    shapes: emitShapes(model, database.name, recall),
    ...(sequences.length === 0 ? {} : { sequences }),
    ...(watched.length === 0 ? {} : { watched }),
  };
}

function planCapture({ table, syncs }: Captured): PlanCapture {
  const names = objectNames(table.source);
  return {
    table: { schema: table.source.schema, name: table.source.name },
    delta: ident('sarrio', names.delta).text,
    segments: names.segments.map((segment) => ident('sarrio', segment).text),
    current: ident('sarrio', names.current).text,
    filled: ident('sarrio', names.filled).text,
    syncs,
    captureTriggers: table.captureTriggers,
    refresh: refreshEntry(table).text,
    partitions: table.partitions.map((partition) => ({ table: partition, record: recordPartition(table, partition).text })),
  };
}

/** A table is captured once, however many syncs read it. */
function capturesIn(model: Model, database: string): readonly Captured[] {
  const captures = new Map<string, Captured>();
  for (const sync of model.syncs) {
    const tables = modelFlows(sync).flatMap((flow) => (flow.source === database ? flow.tables : []));
    for (const table of tables) {
      const name = displayName(table.source);
      const other = captures.get(name);
      const truncate = table.truncate ?? other?.table.truncate ?? null;
      const takesTruncate = table.takesTruncate && other?.table.takesTruncate !== false;
      const recorded = table.recorded ?? other?.table.recorded ?? null;
      const before = table.before || other?.table.before === true;
      const isSame = truncate === table.truncate && takesTruncate === table.takesTruncate && recorded === table.recorded && before === table.before;
      const captured = isSame ? table : { ...table, truncate, takesTruncate, recorded, before };
      captures.set(name, { database, table: captured, syncs: [...(other?.syncs ?? []), sync.name] });
    }
  }
  return [...captures].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, captured]) => captured);
}

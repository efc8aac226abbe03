import { ident } from '../../sql/quote.ts';
import type { Sql } from '../../sql/sql.ts';
import { own } from './emit-capture.ts';
import { wakeName } from '../2-model/object-names.ts';
import {
  acknowledgedBlock,
  carriedBlock,
  initialCopyBlock,
  installedBlock,
  migrationBlock,
  pausedBlock,
  registryBlock,
  schemaBlock,
  sealBlock,
  sequenceBlock,
  streamBlock,
  watermarkBlock,
} from './objects/bookkeeping.sql.ts';
import { fillingsBlock, markFilledBlock, wakeFunctionBlock, wakeSequenceBlock } from './objects/flags.sql.ts';
import { copyRangeBlock, fullCopyBlock, kickBlock } from './objects/copy-bookkeeping.sql.ts';
import { guardBlock } from './objects/guard.sql.ts';
import { noteIndexBlock, putIndexBackBlock, setAsideBlock, setIndexesAsideBlock } from './objects/set-aside.sql.ts';
import { conflictBlock, conflictIndexBlock, heldBlock, parkedBlock, refuseMigratingBlock, stoppedBlock } from './objects/masters-bookkeeping.sql.ts';
import { closedBlock, closeTableBlock, cutoverBlock, openTableBlock, refuseWriteBlock } from './objects/cutover.sql.ts';
import type { EmittedObject, SqlFile } from './sql-file.ts';

/** Group and file of the objects that belong to no user's table. */
const BOOKKEEPING = 'sarrio';

/** A database and the syncs that read it. */
export type Bookkept = {
  readonly database: string;
  readonly sourceOf: readonly string[];
  /** Of a multi-master sync. */
  readonly isMember: boolean;
  /** Source or target of a full copy. */
  readonly isCopied: boolean;
  /** Has sequences whose end the runner warns of. */
  readonly isWatched: boolean;
  /** Sequences are carried to it. */
  readonly isCarriedTo: boolean;
  /** Source or target of a one-way sync. */
  readonly isOneWay: boolean;
  /** Target of a one-way sync. */
  readonly isFollower: boolean;
  /** Of a multi-master sync whose members are copied when they join. */
  readonly isMemberCopied: boolean;
  /** Target of a sync in which changes may wait for approval. */
  readonly isGuarded: boolean;
  /** Target of a sync whose copies set indexes aside. */
  readonly isRebuilt: boolean;
};

/** Schema `sarrio`, its bookkeeping tables, and one wake sequence for each sync that has a source here. */
export function emitBookkeeping(bookkept: Bookkept): SqlFile {
  const { database, sourceOf, isMember, isCopied, isWatched, isCarriedTo, isOneWay, isFollower } = bookkept;
  return {
    path: `sql/${database}/${BOOKKEEPING}.sql`,
    group: BOOKKEEPING,
    summary: summary(database, sourceOf),
    objects: [
      { kind: 'schema', name: 'sarrio', lock: null, text: schemaBlock },
      ...TABLES.map(([name, text]) => own('table', name, text)),
      ...(isMember ? masterObjects : []),
      ...(isCopied ? copyObjects : []),
      ...(isWatched ? [own('table', 'sequence', sequenceBlock)] : []),
      ...(isCarriedTo ? [own('table', 'carried', carriedBlock)] : []),
      ...(isMember || isOneWay ? [own('table', 'stopped', stoppedBlock)] : []),
      ...(isFollower || bookkept.isMemberCopied ? [own('table', 'copy_range', copyRangeBlock)] : []),
      ...(bookkept.isGuarded ? [own('table', 'guard', guardBlock)] : []),
      ...(bookkept.isRebuilt ? rebuildObjects : []),
      ...(isOneWay ? cutoverObjects : []),
      own('sequence', 'registry', registryBlock),
      own('sequence', 'fillings', fillingsBlock),
      { kind: 'function', name: 'sarrio.mark_filled(regclass)', lock: null, text: markFilledBlock },
      { kind: 'function', name: 'sarrio.wake(text, regclass)', lock: null, text: wakeFunctionBlock },
      ...sourceOf.map(wakeSequence),
    ],
  };
}

const TABLES: readonly (readonly [string, Sql])[] = [
  ['installed', installedBlock],
  ['watermark', watermarkBlock],
  ['initial_copy', initialCopyBlock],
  ['acknowledged', acknowledgedBlock],
  ['paused', pausedBlock],
  ['seal', sealBlock],
  ['stream', streamBlock],
  ['migration', migrationBlock],
];

const masterObjects: readonly EmittedObject[] = [
  own('table', 'conflict', conflictBlock),
  own('index', 'conflict_decided_at', conflictIndexBlock),
  own('table', 'parked', parkedBlock),
  own('table', 'held', heldBlock),
  { kind: 'function', name: 'sarrio.refuse_migrating()', lock: null, text: refuseMigratingBlock },
];

const copyObjects: readonly EmittedObject[] = [own('table', 'full_copy', fullCopyBlock), own('table', 'kick', kickBlock)];

const cutoverObjects: readonly EmittedObject[] = [
  own('table', 'cutover', cutoverBlock),
  own('table', 'closed', closedBlock),
  { kind: 'function', name: 'sarrio.refuse_write()', lock: null, text: refuseWriteBlock },
  { kind: 'function', name: 'sarrio.close_table(regclass, text, uuid)', lock: null, text: closeTableBlock },
  { kind: 'function', name: 'sarrio.open_table(regclass)', lock: null, text: openTableBlock },
];

const rebuildObjects: readonly EmittedObject[] = [
  own('table', 'set_aside', setAsideBlock),
  { kind: 'function', name: 'sarrio.note_index(oid, text, text, text)', lock: null, text: noteIndexBlock },
  { kind: 'function', name: 'sarrio.set_indexes_aside(regclass, text, text, text)', lock: null, text: setIndexesAsideBlock },
  { kind: 'function', name: 'sarrio.put_index_back(oid, text)', lock: null, text: putIndexBackBlock },
];

function wakeSequence(sync: string): EmittedObject {
  const name = wakeName(sync);
  return own('sequence', name, wakeSequenceBlock(ident('sarrio', name)));
}

function summary(database: string, sourceOf: readonly string[]): readonly string[] {
  const role = sourceOf.length > 0 ? `It is the source of ${sourceOf.join(', ')}.` : 'It is a target only: nothing is captured here.';
  return [`Bookkeeping of sarrio in database ${database}: what is installed, what was applied, what targets have acknowledged.`, role];
}

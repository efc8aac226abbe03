import type { Applied, Seen } from '../../../conflict/bookkeeping.ts';
import type { Change } from '../../../conflict/change.ts';
import type { ChangeName, Knowledge } from '../../../conflict/change-names.ts';
import type { HandlerConflict } from '../../../conflict/handlers/message.ts';
import type { RowText } from '../../../conflict/row-text.ts';
import type { ContestedKey } from '../../../conflict/version.ts';
import type { History, Position } from '../../../plan/position.ts';
import type { PendingTable } from '../counting.ts';

/**
 * One database in the rounds of a multi-master sync. A round is one transaction here: `look` begins it, `commit` or `rollback` ends
 * it. `sessionMember` makes one of a connection; the simulation of the protocol makes one in memory, and both are driven by the same
 * round. Methods reject with the server's error, or with `ReadTooLate` where a table is not what the snapshot shows any more; after that
 * only `rollback` may follow.
 */
export type Member = {
  /** Index in the sync's order of databases. */
  readonly index: number;
  readonly name: string;
  readonly history: History;
  /** Begins the transaction, takes its snapshot and counts what is pending for the others. */
  look(options: LookOptions): Promise<Look>;
  /**
   * Makes the watermarks ours until the end of the round (the fence) and gives the transaction an id, which it returns. Fails with a
   * serialization failure when somebody moved them after the snapshot.
   */
  hold(): Promise<bigint>;
  /** The keys of a table of which this member, or one of the others, holds changes while a second one does too, in pages. */
  meet(table: number, others: readonly Member[]): AsyncIterable<readonly MetKey[]>;
  /**
   * Where the plan says how and there are many: brings what this member and the others have changed of a table to each other, decides all
   * contested keys where they stand, and sets the outcome aside at all of them. Null where each key has to be met, and nothing was done.
   */
  decide(table: number, others: readonly Member[], ask: AskHandler): Promise<DecidedKeys | null>;
  /** The rows of keys as this member's snapshot shows them, in the order of the keys. */
  rows(table: number, keys: readonly (readonly string[])[]): Promise<readonly RowText[]>;
  /** The rows of keys as they will stand here once what was set aside for the table is written, in the order of the keys. Only in a sync with a handler of exceptions. */
  outcome(table: number, keys: readonly (readonly string[])[]): Promise<readonly RowText[]>;
  /** For each key in order and each member by index, what stood here before the first change that this one has not seen, as `Befores` has it. Only where the rule asks. */
  befores(table: number, keys: readonly (readonly string[])[]): Promise<readonly (readonly (string | null)[])[]>;
  /** Pairs of rows that hold one unique value, among what was set aside for the table here and what stays here. */
  clashes(table: number): Promise<readonly ClashPair[]>;
  /** Sets aside what is to be written here for contested keys; of a key that was settled before, this is what counts. */
  settle(table: number, rows: readonly SettledRow[]): Promise<void>;
  /** Sets aside, at each of the others, the rows of the keys whose changes it has not seen. */
  deliver(table: number, to: readonly Member[], fresh: boolean): Promise<Delivered>;
  /** Whether the texts of a table's keys say which of them are the same: then `deliver` gives those of few rows. */
  tellsKeys(table: number): boolean;
  /**
   * Writes what was set aside for the tables (settled rows instead of delivered ones of the same key; a row that is the same already
   * is not touched), the entries that go with it, the watermarks by origin index, and the held positions of tables (`moves`: those that are
   * another than before).
   */
  apply(tables: readonly number[], moved: Applied & { readonly moves: readonly HeldMove[] }): Promise<void>;
  /** Resolves when everything that this member's transaction saw and wrote so far is on its disk. */
  durable(): Promise<void>;
  commit(): Promise<void>;
  rollback(): Promise<void>;
};

/** How many rows were brought to each of the others at most, and a text for the key of each; null where nobody can say. */
export type Delivered = { readonly rows: number; readonly keys: readonly string[] | null };

/** Keys that were decided where they stand: how many, how many of them were in conflict, and are changes of their own now. */
export type DecidedKeys = {
  readonly settled: number;
  readonly conflicts: number;
  readonly fresh: number;
  /** Rows that were brought to each other member, by origin index. */
  readonly rows: ReadonlyMap<number, number>;
};

/** What the handler of a table says of conflicts, in their order. */
export type AskHandler = (conflicts: readonly HandlerConflict[]) => Promise<readonly RuledConflict[]>;

/** A version is taken as it is (by member), or a row is set aside everywhere. */
export type RuledConflict = { readonly decision: string } & ({ readonly take: number; readonly row: null } | { readonly take: null; readonly row: SettledRow });

/** Up to so many pending entries of a table travel as text through the runner, more by COPY. */
export const FEW_ENTRIES = 200;

/** From where a member is read. */
export type Span = {
  /** What every other present member has seen of this one: nothing older is read. */
  readonly from: Position;
  /** By index, what each other present member has seen of this one. */
  readonly seenBy: ReadonlyMap<number, Position>;
  /**
   * By index, what each present member, this one among them, has seen of every origin: an entry that names a change is not for who has
   * seen it.
   */
  readonly knownBy: ReadonlyMap<number, readonly Knowledge[]>;
};

/** Where a table stands apart from a member's watermark; null where it follows it again. */
export type HeldMove = { readonly table: number; readonly origin: number; readonly position: Position | null };

export type LookOptions = Span & {
  /** Tables that are read from elsewhere, because they have not moved with the watermarks. */
  readonly tables: ReadonlyMap<number, Span>;
  /** Tables that nobody else may write to until the end of the round, for progress under contention; locked before the snapshot is taken. */
  readonly lock: readonly number[];
  /** Tables that nobody else may rewrite, empty or rename until the end of the round, because one was read too late; locked before the snapshot, too. */
  readonly keep: readonly number[];
};

export type Look = Seen & {
  /** The member's clock when the snapshot was taken, in microseconds since 1970. */
  readonly clockMicros: bigint;
  /** The transaction in which its rows were copied from another member; 0 when they never were. */
  readonly copiedXid: bigint;
  /** In a ring: what this sync has noted by itself, where that is less than what all of its syncs have; null: it is the same. */
  readonly noted: Applied | null;
  readonly pending: readonly PendingTable[];
  /** Tables that are not what the plan was compiled for in this snapshot, as far as anybody has looked. */
  readonly unfit: ReadonlySet<number>;
};

export type { RowText };

/** A contested key with what those that have a version of it hold. */
export type MetKey = ContestedKey & { readonly rowOf: (member: number) => RowText };

/** What a round has decided about a contested key. */
export type SettledRow = {
  /** `skip`: nothing is written for this key. */
  readonly write: 'row' | 'skip';
  readonly row: RowText;
  /** Time of the version that the row carries, in microseconds since 1970. */
  readonly at: bigint;
  /** Recorded as a change that this sync carries on. */
  readonly isFresh: boolean;
  /** The changes that the row embodies; null for a decision, which is a change of its own. */
  readonly names: readonly ChangeName[] | null;
  /** What the changes did that the row brings to this member, for tables whose rule asks for it; else null. */
  readonly carried: readonly Change[] | null;
  /** Set when it was a conflict. */
  readonly record: ConflictRecord | null;
  /** Whatever was settled for the key before, this counts. */
  readonly isLast: boolean;
  /** The row that is taken out of the table and kept apart. */
  readonly parked: ParkedRow | null;
};

export type ParkedRow = { readonly key: readonly string[]; readonly row: RowText; readonly code: string; readonly error: string };

/** Two rows that hold the same value of a unique index; the first one arrives. */
export type ClashPair = { readonly index: string; readonly one: ClashingText; readonly other: ClashingText };

export type ClashingText = {
  readonly key: readonly string[];
  readonly row: RowText;
  /** Microseconds since 1970; null when everybody has seen it. */
  readonly at: bigint | null;
  /** It stands at this member already. */
  readonly isStanding: boolean;
};

/** A conflict and its decision, written at every member in the round's transaction. */
export type ConflictRecord = {
  /** The same at every member. */
  readonly id: string;
  /** `update/delete`, in the order of the versions. */
  readonly kind: string;
  readonly strategy: string;
  /** `take east`, `skip`. */
  readonly decision: string;
  readonly key: readonly string[];
  readonly versions: readonly RecordedVersion[];
  /** As a row for COPY, once some member has made it: it is the same at all. */
  readonly written: { line: string | null };
};

export type RecordedVersion = { readonly database: string; readonly at: bigint; readonly op: string; readonly row: RowText };

import type { Position } from '../../../plan/position.ts';
import type { PlanMultiMaster, TableShape } from '../../../plan/plan.ts';
import type { Failpoint } from '../../failpoint.ts';
import type { Session } from '../../postgres/session.ts';
import type { Span, ConflictRecord, ParkedRow } from './member.ts';
import type { Statement } from '../../postgres/statement.ts';
import type { SetAside } from './set-aside.ts';

/** What the parts of a member share. One connection, so one thing at a time. */
export type MemberState = {
  readonly index: number;
  readonly name: string;
  readonly syncName: string;
  readonly sync: PlanMultiMaster;
  /** What the plan relies on here, by display name, and how far it is so, by ordinal. */
  readonly shapes: Readonly<Record<string, TableShape>>;
  readonly verdicts: Map<number, Verdict>;
  /** Tables that rest here for a migration, as the last snapshot has it. */
  resting: ReadonlySet<number>;
  /** As a replica: what it writes fires no capture trigger. One statement or batch at a time, whoever asks. */
  readonly session: Pick<Session, 'query' | 'batch'>;
  /** Sends the rows of a COPY here into a COPY at a peer; `before` comes before it here. */
  readonly copyTo: (peer: MemberState, text: { readonly before: readonly Statement[]; readonly from: string; readonly into: string }) => Promise<number>;
  /** Sends lines of COPY's text format into a COPY here. */
  readonly load: (text: string, lines: readonly string[]) => Promise<void>;
  /** More connections to the same database, for reading. */
  readonly readers: Readers;
  /** Takes the connection for something that the others cannot do. */
  readonly withConnection: <T>(work: (session: Session) => Promise<T>) => Promise<T>;
  readonly failpoint: Failpoint;
  /** Every member of the sync that is connected, by index, this one among them. */
  readonly peers: ReadonlyMap<number, MemberState>;
  /** Of the present round. */
  readonly pending: Pending;
  from: Position | null;
  seenBy: Span['seenBy'];
  knownBy: Span['knownBy'];
  /** Tables that are read from elsewhere. */
  tables: ReadonlyMap<number, Span>;
  /** This round has locked tables, or keeps them as they are: whoever waits for them must not be in our own way. */
  isBound: boolean;
  /** Some statement of this round has been told to read from elsewhere than the snapshot was. */
  hasReadElsewhere: boolean;
  /** Entries that were pending, by table. */
  entries: ReadonlyMap<number, number>;
  /** Tables that were read and not asked about since (`asSeen`). Nobody may commit before they are. */
  readonly unchecked: Set<number>;
  /** Something that this member wrote and others will rely on is not known to be on disk yet: nobody else may commit. */
  undurable: boolean;
  /** Of what the snapshot saw: on its way to the disk since the look; null where it was there, or nobody has asked for it yet. */
  flushing: Promise<unknown> | null;
  isSnapshotOnDisk: boolean;
};

/** A second connection to a member, which shows what its round sees. It waits for no lock for long: who holds one may wait for the first connection. */
export type Readers = {
  readonly open: (snapshot: string) => Promise<Session>;
  /** Its transaction ends. */
  readonly close: (session: Session) => Promise<void>;
};

/** Of one table at one member: what its token was when it was last looked at exactly, and what was found wrong then. */
export type Verdict = { readonly token: string | null; readonly faults: readonly string[] };

/** What a round has set aside at a member until it is written. */
export type Pending = {
  readonly asides: Map<number, SetAside & { readonly rowsFrom: Map<number, number> }>;
  readonly records: { readonly table: number; readonly record: ConflictRecord }[];
  readonly parked: { readonly table: number; readonly row: ParkedRow }[];
};

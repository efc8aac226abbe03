import type { Flow } from '../../../plan/flows.ts';
import type { PlanMultiMaster } from '../../../plan/plan.ts';
import type { Session } from '../../postgres/session.ts';
import type { RunOptions } from '../sync-runner.ts';
import type { KnownMarks } from './known-marks.ts';
import type { Rulings } from './rulings.ts';
import type { Handlers } from './handlers/handlers.ts';
import type { Slot, Live } from './slot.ts';
import type { StoppedTables } from './stopped-tables.ts';
import type { MasterProgress } from './progress.ts';
import type { Looks } from './looks.ts';
import type { Acknowledger } from '../acknowledge.ts';
import type { Member } from './member.ts';
import type { MemberState } from './member-state.ts';

/** One multi-master sync while it runs. */
export type MastersRun = {
  readonly options: RunOptions;
  readonly name: string;
  readonly sync: PlanMultiMaster;
  /** By index. */
  readonly flows: readonly Flow[];
  readonly deltas: readonly (readonly string[])[];
  readonly slots: readonly Slot[];
  readonly connectTarget: (index: number) => Promise<Session>;
  readonly progress: MasterProgress;
  readonly looks: Looks;
  readonly handlers: Handlers;
  readonly stopped: StoppedTables;
  readonly watch: ShapeWatch;
  readonly rulings: Rulings;
};

/** What goes from one round to the next. */
export type Place = {
  readonly present: Present[];
  readonly known: KnownMarks;
  /** Rounds in a row that met a change by somebody else. */
  contended: number;
  /** Rounds in a row that gave way to one of another sync of the ring. */
  elsewhere: number;
  /** Rounds to come with the tables locked. */
  locked: number;
  lock: ReadonlySet<number>;
  /** No table is locked before then, because the runner may not. */
  lockAgain: number;
  /** Tables to keep as they are in the next round, because one was rewritten between a snapshot and the reading. */
  keep: ReadonlySet<number>;
  inRow: number;
  /** When the present round began, and the tables in which it found something. */
  began: number;
  touched: Set<number>;
};

/** A member that takes part in the rounds. */
export type Present = {
  readonly slot: Slot;
  readonly live: Live;
  readonly member: Member;
  /** By source index: what this member has on disk of each other one. */
  readonly acknowledgers: Map<number, Acknowledger>;
  readonly state: MemberState;
  readonly peers: Map<number, MemberState>;
  /** It has been through a round with the sync's first member since it was let in. */
  isJoined: boolean;
  readonly endBeating: () => void;
  /** Its peers know it no more. */
  readonly leave: () => void;
};

/** What is kept between rounds: when members were last asked, and the foreign keys as they were when the tables began to wait. */
export type ShapeWatch = { askedAt: number; references: { readonly of: string; readonly pairs: readonly (readonly [number, number])[] } | null };

import type { Stage } from './stage.ts';

/** What is soaked: servers, who writes to them, and what must hold at the end. */
export type Play = {
  readonly stage: Stage;
  /** What is true when `Outcome.left` is empty. */
  readonly moral: string;
  /** Lets writers and observers begin. What they do follows from the seed, as far as chance in the servers allows. */
  begin(seed: number): Performance;
  /** Under writers, without faults, everything must come close again by itself; fails when it does not. */
  quiet(): Promise<void>;
  /** Where it stands, for the log. */
  progress(): Promise<string>;
};

export type Performance = {
  /** Ends writers, observers and runners, carries what is left, and looks. */
  end(): Promise<Outcome>;
};

/** What is wrong at the end, and figures for the report. */
export type Outcome = { readonly left: readonly string[]; readonly lines: readonly string[] };

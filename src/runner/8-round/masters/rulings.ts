import type { Ruling } from './ruling.ts';

/** How often a row's handler was asked, and how often in a row the answer was to try again. */
export type Asked = { rulings: number; tries: number };

/** What handlers have said of rows that members did not take, until a round has gone through with it. */
export type Rulings = {
  all(): readonly Ruling[];
  /** In the place of what was said of the same row before. */
  add(ruling: Ruling): void;
  /** Some row was not any more what the handler was shown: it is asked again, as if for the first time. */
  drop(ruling: Ruling): void;
  asked(table: number, key: readonly string[]): Asked;
  /** The ruling, for another row, that changes this one. */
  changing(table: number, key: readonly string[]): Ruling | null;
  /** The table has stopped: whoever tries it again asks again. */
  forget(table: number): void;
  /** A round went through, with these tables left out. */
  wentThrough(waiting: ReadonlySet<number>): void;
};

export function makeRulings(): Rulings {
  const rulings = new Map<string, Ruling>();
  const asked = new Map<string, Asked & { readonly table: number }>();
  const forgetWhere = (isOver: (table: number) => boolean): void => {
    for (const [id, { table }] of [...rulings]) if (isOver(table)) rulings.delete(id);
    for (const [id, { table }] of [...asked]) if (isOver(table)) asked.delete(id);
  };
  return {
    all: () => [...rulings.values()],
    add: (ruling) => void rulings.set(idOf(ruling.table, ruling.key), ruling),
    drop: ({ table, key }) => {
      rulings.delete(idOf(table, key));
      asked.delete(idOf(table, key));
    },
    asked: (table, key) => {
      const counts = asked.get(idOf(table, key)) ?? { table, rulings: 0, tries: 0 };
      asked.set(idOf(table, key), counts);
      return counts;
    },
    changing: (table, key) => {
      const found = [...rulings.values()].find(({ decision }) => {
        const changes = decision.kind === 'change' ? decision.changes : [];
        return changes.some((change) => idOf(change.table, change.key) === idOf(table, key));
      });
      return found === undefined || idOf(found.table, found.key) === idOf(table, key) ? null : found;
    },
    forget: (table) => forgetWhere((each) => each === table),
    wentThrough: (waiting) => forgetWhere((each) => !waiting.has(each)),
  };
}

function idOf(table: number, key: readonly string[]): string {
  return JSON.stringify([table, key]);
}

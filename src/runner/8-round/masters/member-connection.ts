import { setImmediate } from 'node:timers/promises';
import { makeMutex } from '../../mutex.ts';
import { copyBetween, copyInto } from '../../postgres/copy.ts';
import type { Session } from '../../postgres/session.ts';
import type { Result, Statement } from '../../postgres/statement.ts';
import type { MemberState } from './member-state.ts';

type Connection = Pick<MemberState, 'session' | 'copyTo' | 'load' | 'withConnection'>;

/** A connection does one thing at a time; the runner's beats come in between. */
export function connectionOf({ session, index }: { readonly session: Session; readonly index: number }): Connection {
  const oneByOne = makeMutex();
  const gathering: Gathering = { asked: null };
  const exclusive = <T>(task: () => Promise<T>): Promise<T> => {
    gathering.asked = null;
    return oneByOne(task);
  };
  return {
    session: {
      query: (text, values) => exclusive(() => session.query(text, values)),
      batch: (statements) => together(gathering, statements, (all) => void oneByOne(() => sendAll(session, gathering, all))),
    },
    load: (text, lines) => exclusive(async () => void (await copyInto({ session, text }, lines))),
    withConnection: (work) => exclusive(() => work(session)),
    copyTo: (peer, text) => {
      const copy = async (other: Session): Promise<number> => {
        await session.batch(text.before);
        return copyBetween({ session, text: text.from }, { session: other, text: text.into });
      };
      // In the order of the members: two that copy to each other would wait for each other.
      return index < peer.index ? exclusive(() => peer.withConnection(copy)) : peer.withConnection((other) => exclusive(() => copy(other)));
    },
  };
}

/** Somebody's statements, and who waits for what becomes of them. */
type Asked = { readonly statements: readonly Statement[]; readonly answer: (outcome: Promise<readonly Result[]>) => void };

/** Batches that will travel together; null once something else is to come after them. */
type Gathering = { asked: Asked[] | null };

/** Batches that are asked for one after the other, before the first of them is under way, are one round trip. Each has its own outcome. */
function together(gathering: Gathering, statements: readonly Statement[], begin: (all: readonly Asked[]) => void): Promise<readonly Result[]> {
  return new Promise((resolve) => {
    const asked = { statements, answer: resolve };
    if (gathering.asked !== null) {
      gathering.asked.push(asked);
      return;
    }
    const all = [asked];
    gathering.asked = all;
    begin(all);
  });
}

async function sendAll(session: Session, gathering: Gathering, all: readonly Asked[]): Promise<void> {
  // Whoever has heard of the same thing asks in the same turn of the event loop.
  await setImmediate();
  if (gathering.asked === all) gathering.asked = null;
  const sending = session.batches(all.map(({ statements }) => statements));
  for (const [place, { answer }] of all.entries()) answer(sending.then((outcomes) => outcomeOf(outcomes[place])));
  await sending.catch(() => undefined);
}

function outcomeOf(outcome: PromiseSettledResult<readonly Result[]> | undefined): readonly Result[] {
  if (outcome?.status === 'fulfilled') return outcome.value;
  throw outcome?.reason ?? new Error('a batch without an answer');
}

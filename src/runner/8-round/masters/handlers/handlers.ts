import { failureOf, type Fault, type HandlerDecision, type HandlerFailure, judge } from '../../../../conflict/handlers/judge.ts';
import {
  type ExceptionDecision,
  exceptionFailure,
  type ExceptionShapes,
  failureMessage,
  type HandlerException,
  judgeException,
} from '../../../../conflict/handlers/judge-failure.ts';
import { type ClashDecision, clashFailure, clashMessage, type HandlerClash, judgeClash } from '../../../../conflict/handlers/judge-clash.ts';
import { type AnswerMessage, conflictMessage, type HandlerConflict, type HandlerShape } from '../../../../conflict/handlers/message.ts';
import { SarrioError } from '../../../../plan/errors.ts';
import type { HandlerRule } from '../../../../plan/conflict-rule.ts';
import { handlerFaults } from '../../../../plan/handler-files.ts';
import type { Clock } from '../../../clock.ts';
import { type HandlerFile, startThread, type Thread, type ThreadReply } from './thread.ts';

/** A table whose conflicts a handler decides. */
export type HandlerTable = HandlerShape & {
  /** Its ordinal in the sync. */
  readonly ordinal: number;
  readonly rule: HandlerRule;
};

export type HandlersOptions = {
  readonly tables: readonly HandlerTable[];
  /** Tables with a handler for unique values that are taken twice. */
  readonly uniques?: readonly HandlerTable[];
  /** Tables with a handler for rows that a member does not take. */
  readonly exceptions?: readonly HandlerTable[];
  /** All tables of the sync, whose rows handlers of exceptions may change; those of `exceptions` by default. */
  readonly shapes?: readonly HandlerShape[];
  /** Texts of the generated files, by path under `generated/`. */
  readonly files: ReadonlyMap<string, string>;
  readonly clock: Clock;
  /** How long one conflict may take, about; 5 seconds. */
  readonly limitMs?: number;
  /** What handlers may hold in memory; 64 MB. */
  readonly memoryMb?: number;
};

/** Decides conflicts by the handlers of a plan, in a thread of its own, which is started when it is first needed. */
export type Handlers = {
  /** In the order of the conflicts. One failure is enough for the table to be stopped; the others may be used or not. */
  decide(table: number, conflicts: readonly HandlerConflict[]): Promise<readonly HandlerOutcome[]>;
  /** What becomes of rows that hold one unique value, in the order of the clashes. */
  unclash(table: number, clashes: readonly HandlerClash[]): Promise<readonly (ClashDecision | HandlerFailure)[]>;
  /** What becomes of a row that a member does not take; null where no handler says so. */
  except(table: number, exception: HandlerException): Promise<ExceptionDecision | HandlerFailure | null>;
  close(): Promise<void>;
};

export type HandlerOutcome = HandlerDecision | HandlerFailure;

/** Conflicts for one message: large enough that messages cost nothing, small enough that the runner stays awake. */
const BATCH = 500;
/** How often a thread is looked at within its limit: a machine that slept must not look like a handler that hangs. */
const LOOKS = 4;

/** Proves that the files are those of the plan. @throws SarrioError SAR307 when one is not */
export function openHandlers(options: HandlersOptions): Handlers {
  const { tables, uniques = [], exceptions = [], shapes = exceptions, files, clock, limitMs = 5000, memoryMb = 64 } = options;
  const state: State = { files: checkedFiles([...tables, ...uniques, ...exceptions], files), clock, limitMs, memoryMb, thread: null, queue: Promise.resolve() };
  return {
    decide: (ordinal, conflicts) => {
      const table = tables.find((each) => each.ordinal === ordinal);
      if (table === undefined) throw new Error(`no handler decides the conflicts of table ${ordinal}`);
      return inTurn(state, () =>
        askAll(
          state,
          table.rule.file,
          conflicts.map((conflict) => ofConflict(table, conflict)),
        ),
      );
    },
    unclash: (ordinal, clashes) => {
      const table = uniques.find((each) => each.ordinal === ordinal);
      if (table === undefined) throw new Error(`no handler decides the unique values of table ${ordinal}`);
      return inTurn(state, () =>
        askAll(
          state,
          table.rule.file,
          clashes.map((clash) => ofClash(table, clash)),
        ),
      );
    },
    except: async (ordinal, exception) => {
      const table = exceptions.find((each) => each.ordinal === ordinal);
      if (table === undefined) return null;
      const [outcome] = await inTurn(state, () => askAll(state, table.rule.file, [ofException({ shape: table, shapes }, exception)]));
      return outcome ?? null;
    },
    close: () => inTurn(state, () => endThread(state)),
  };
}

type State = {
  readonly files: readonly HandlerFile[];
  readonly clock: Clock;
  readonly limitMs: number;
  readonly memoryMb: number;
  thread: Thread | null;
  queue: Promise<unknown>;
};

function checkedFiles(tables: readonly HandlerTable[], files: ReadonlyMap<string, string>): readonly HandlerFile[] {
  const rules = [...new Map(tables.map(({ rule }) => [rule.file, rule])).values()];
  const diagnostics = handlerFaults({ rules, files, shown: 'generated' });
  if (diagnostics.length > 0) throw new SarrioError({ exit: 'invalid', diagnostics });
  return rules.map((rule) => ({ path: rule.file, text: (files.get(rule.file) ?? '').replaceAll('\r\n', '\n'), name: rule.export }));
}

/** One after the other: the thread takes one batch at a time. */
function inTurn<T>(state: State, task: () => Promise<T>): Promise<T> {
  const done = state.queue.then(task, task);
  state.queue = done;
  return done;
}

/** One call of a handler: what goes in, and what to make of what comes out. */
type Question<T> = {
  readonly text: string;
  readonly judge: (answer: AnswerMessage) => T | HandlerFailure;
  readonly blame: (fault: Fault) => HandlerFailure;
};

function ofConflict(table: HandlerTable, conflict: HandlerConflict): Question<HandlerDecision> {
  return {
    text: JSON.stringify(conflictMessage(table, conflict)),
    judge: (answer) => judge(table, conflict, answer),
    blame: (fault) => failureOf(table, conflict, fault),
  };
}

function ofClash(table: HandlerTable, clash: HandlerClash): Question<ClashDecision> {
  return {
    text: JSON.stringify(clashMessage(table, clash)),
    judge: (answer) => judgeClash(table, clash, answer),
    blame: (fault) => clashFailure(table, clash, fault),
  };
}

function ofException(of: ExceptionShapes, exception: HandlerException): Question<ExceptionDecision> {
  return {
    text: JSON.stringify(failureMessage(of.shape, exception)),
    judge: (answer) => judgeException(of, exception, answer),
    blame: (fault) => exceptionFailure(of.shape, exception, fault),
  };
}

async function askAll<T>(state: State, file: string, questions: readonly Question<T>[]): Promise<readonly (T | HandlerFailure)[]> {
  const outcomes: (T | HandlerFailure)[] = [];
  for (let start = 0; start < questions.length; start += BATCH) {
    const batch = questions.slice(start, start + BATCH);
    const reply = await askThread(state, file, batch);
    if (reply.kind === 'broken') throw new Error(`the handler ${file} cannot be run: ${reply.message}`);
    if (reply.kind === 'answers') {
      outcomes.push(...batch.map((question, index) => outcomeOf(file, question, reply.answers[index])));
    } else {
      const rest = questions.slice(start);
      return [...outcomes, ...rest.map(({ blame }, index) => blame(deathFault(state, reply, index)))];
    }
  }
  return outcomes;
}

async function askThread(state: State, file: string, questions: readonly { readonly text: string }[]): Promise<ThreadReply> {
  state.thread ??= startThread(state);
  const { thread } = state;
  const texts = questions.map(({ text }) => text);
  const isOver = new AbortController();
  const reply = await Promise.race([thread.ask(file, texts), watch(state, thread, isOver.signal)]);
  isOver.abort();
  if (reply.kind !== 'answers') await endThread(state);
  return reply;
}

/** Ends when the thread has not come on for the limit. */
async function watch({ clock, limitMs }: State, thread: Thread, isOver: AbortSignal): Promise<ThreadReply> {
  for (let same = 0, last = Number.NaN; same < LOOKS; ) {
    await clock.sleep(limitMs / LOOKS, isOver);
    if (isOver.aborted) break;
    const now = thread.progress();
    same = now === last ? same + 1 : 1;
    last = now;
  }
  return { kind: 'hung', at: thread.progress() };
}

/** What it may have left behind goes with it; the next batch begins in a new one. */
async function endThread(state: State): Promise<void> {
  const { thread } = state;
  state.thread = null;
  await thread?.end();
}

function deathFault({ limitMs, memoryMb }: State, death: ThreadReply & { at: number }, index: number): Fault {
  const why = death.kind === 'hung' ? `did not answer for ${limitMs} ms` : `needed more than ${memoryMb} MB`;
  // Before the first conflict it was the machine, or the thread's start; somebody has to take the blame.
  if (index === Math.max(death.at, 0)) return { reason: death.kind === 'hung' ? 'hung' : 'memory', message: `it ${why} and was ended`, stack: [] };
  return { reason: 'not-run', message: `not decided, because at another row of the table it ${why}`, stack: [] };
}

type Reply = AnswerMessage | { readonly kind: 'threw'; readonly message: string; readonly stack: string };

function outcomeOf<T>(file: string, { judge: judged, blame }: Question<T>, text: string | undefined): T | HandlerFailure {
  if (text === undefined) throw new Error('the thread gave fewer answers than it got questions');
  const answer = JSON.parse(text) as Reply;
  if (answer.kind !== 'threw') return judged(answer);
  return blame({ reason: 'threw', message: `it threw ${answer.message}`, stack: stackLines(answer.stack, file) });
}

/** Only the lines that lie in the handler's file. */
function stackLines(stack: string, file: string): readonly string[] {
  const lines = stack.split('\n').flatMap((line) => /^\s+at (.*)$/.exec(line)?.[1] ?? []);
  return lines.filter((line) => line.includes(`${file}:`)).map((line) => line.replace(file, `generated/${file}`));
}
